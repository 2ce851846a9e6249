import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { layoutPlace } from '../imports/import-files.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

interface StoredLayout {
  readonly id: string
  readonly path: string
  readonly document: string
  readonly layout: Uint8Array
  readonly key_version: number
}

/** A layout is under a key that was not there when keys were asked for. */
export class UnknownFileKey extends Error {
  override readonly name = 'UnknownFileKey'
}

/**
 * Has the layouts of imported documents name messages of a session anew, as `rewrite` says; undefined from it leaves one as it is. One that cannot
 * be opened by its key stays, and is reported as damaged whenever it is read. They are archived again. Throws UnknownFileKey.
 */
export async function rewriteLayouts(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  {
    seals,
    rewrite,
  }: {
    readonly seals: (version: number) => RowSeal | undefined
    readonly rewrite: (layout: Uint8Array) => Uint8Array | undefined
  },
): Promise<void> {
  const files = await sql<StoredLayout[]>`
    select id, path, document, layout, key_version from import_files
    where tenant_id = ${tenantId} and ${sessionId}::uuid = any(session_ids) order by id for update`
  for (const file of files) {
    const seal = file.key_version === 0 ? undefined : seals(file.key_version)
    if (file.key_version !== 0 && seal === undefined) throw new UnknownFileKey('A layout has a newer key')
    const layout = openLayout(file, seal)
    const anew = layout === undefined ? undefined : rewrite(layout)
    if (anew === undefined) continue
    const stored = seal === undefined ? anew : seal.seal(layoutPlace(file), anew)
    // By the time of its import the archive knows what it holds of it.
    await sql`
      update import_files set layout = ${Buffer.from(stored)}, imported_at = imported_at + interval '1 millisecond'
      where tenant_id = ${tenantId} and id = ${file.id}`
  }
}

function openLayout(file: StoredLayout, seal: RowSeal | undefined): Uint8Array | undefined {
  if (file.key_version === 0) return file.layout
  try {
    return seal?.open(layoutPlace(file), file.layout)
  } catch (error) {
    if (error instanceof BrokenSeal) return undefined
    throw error
  }
}
