import type { Database } from '../store/database.ts'
import type { MessageRow } from '../store/messages.ts'
import { readNeighbours } from '../store/neighbours.ts'
import { messageLevel } from '../store/search/search-units.ts'
import { embeddingTexts, type Said } from './vectors/embedding-texts.ts'
import type { UnitText } from './vectors/vector-writer.ts'

export interface TextSource {
  readonly database: Pick<Database, 'run' | 'vault'>
  /** The text of a message; undefined where it cannot be had. */
  readonly textOf: (message: MessageRow) => Promise<string | undefined>
}

/** What is embedded of messages, each with the SHA-256 of its texts: nothing of events and markers, which are no turns. */
export async function unitTexts(
  { database, textOf }: TextSource,
  tenantId: number,
  rows: readonly MessageRow[],
): Promise<UnitText[]> {
  // Two items may cover one message: it was saved while every session was being added anew.
  const once = new Map(rows.map((row) => [`${row.sessionId} ${row.seq}`, row]))
  const turns = [...once.values()].filter(({ kind }) => kind === 'message')
  const places = turns.map(({ sessionId, seq }) => ({ sessionId, seq }))
  const before = await readNeighbours(database, tenantId, { places, each: 1, before: true })
  const said = new Map<string, Said>()
  for (const row of [...before, ...turns]) {
    const text = await textOf(row)
    if (text !== undefined) said.set(`${row.sessionId} ${row.seq}`, { sender: row.sender, text })
  }
  const known = [...before, ...turns].toSorted((a, b) => a.seq - b.seq)
  return turns.flatMap(({ sessionId, seq, role, timestamp }) => {
    const own = said.get(`${sessionId} ${seq}`)
    if (own === undefined) return []
    const previous = known.findLast((row) => row.sessionId === sessionId && row.seq < seq)
    const context = previous === undefined ? undefined : said.get(`${sessionId} ${previous.seq}`)
    const about = { role, timestampMs: Date.parse(timestamp) }
    const unit = { level: messageLevel, sessionId, firstSeq: seq, ...about }
    return embeddingTexts(own, context).map((part) => ({ ...unit, ...part }))
  })
}
