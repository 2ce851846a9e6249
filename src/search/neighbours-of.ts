import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { readNeighbours } from '../store/neighbours.ts'
import type { Neighbour } from './fit-reply.ts'
import { readIfIntact, type Hit } from './hits.ts'

/** The messages around the hits. One whose bytes are damaged is left out: it is not what was looked for. */
export async function neighboursOf(
  dependencies: { readonly database: Database; readonly archive: ArchiveStore },
  hits: readonly Hit[],
  around: { readonly tenantId: number; readonly each: number },
): Promise<Neighbour[]> {
  const places = hits.map(({ message }) => ({ sessionId: message.sessionId, seq: message.seq }))
  const rows = await readNeighbours(dependencies.database, around.tenantId, { places, each: around.each })
  const neighbours: Neighbour[] = []
  for (const message of rows) {
    const read = await readIfIntact(dependencies.archive, message)
    if (read !== undefined) neighbours.push(read)
  }
  return neighbours
}
