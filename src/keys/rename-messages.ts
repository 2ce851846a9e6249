import type { RowSeal } from '../crypto/row-seal.ts'
import { readHashedIds, storeIds, type HashedId } from '../store/keys/hashed-ids.ts'
import type { SessionKey } from '../store/messages.ts'
import type { Transaction } from '../store/rows.ts'

/** Seals of a session; undefined for 0, what is not sealed. */
export interface Renaming {
  readonly from: RowSeal | undefined
  readonly to: RowSeal | undefined
  /** What the hash of a row is masked with, by the version of its key; undefined where that is not to be had. */
  readonly sealOf: (version: number) => RowSeal | undefined
}

const rowsAtOnce = 2_000
/** Bytes of a hash in an id of `idOfBytes`, and of the function `save_messages` for a later version of an entry. */
const headBytes = 16
const tailDigits = 16

/**
 * Gives the messages of a session that are known by their hashes the ids that an import of their file again looks for: hashes are
 * masked in a sealed session. All of them with the session's own change, so that nothing is imported twice meanwhile.
 */
export async function renameMessages(sql: Transaction, key: SessionKey, renaming: Renaming): Promise<void> {
  let after = 0
  for (;;) {
    const rows = await readHashedIds(sql, key, { after, limit: rowsAtOnce })
    const last = rows.at(-1)
    if (last === undefined) return
    const renamed = rows.map((row) => ({ seq: row.seq, externalId: renamedId(row, renaming) }))
    await storeIds(sql, key, renamed)
    after = last.seq
  }
}

function renamedId(row: HashedId, { from, to, sealOf }: Renaming): string {
  const { externalId, keyVersion } = row
  const seal = sealOf(keyVersion)
  // Of what was erased no hash is left but that in its id.
  const isKnown = row.sha256 !== undefined && (keyVersion === 0 || seal !== undefined)
  const sha256 = isKnown ? unmasked(seal, row.sha256) : undefined
  const head = renamedHead(externalId, sha256, { from, to })
  if (sha256 === undefined) return head
  const digits = (masking: RowSeal | undefined) => masked(masking, sha256).toString('hex').slice(0, tailDigits)
  return head.endsWith(`~${digits(from)}`) ? `${head.slice(0, -tailDigits)}${digits(to)}` : head
}

/** The hash is masked in blocks of 16 bytes: what is in the id is one of them. */
function renamedHead(
  externalId: string,
  sha256: Uint8Array | undefined,
  { from, to }: Pick<Renaming, 'from' | 'to'>,
): string {
  const head = /^#([0-9a-f]{32})/.exec(externalId)?.[1]
  if (head === undefined) return externalId
  const block = Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(headBytes)])
  const plain = unmasked(from, block).subarray(0, headBytes)
  // Otherwise it stands for a long id of the source.
  if (sha256 !== undefined && !plain.equals(sha256.subarray(0, headBytes))) return externalId
  const hash = masked(to, Buffer.concat([plain, Buffer.alloc(headBytes)]))
  return `#${hash.toString('hex', 0, headBytes)}${externalId.slice(1 + head.length)}`
}

function masked(seal: RowSeal | undefined, sha256: Uint8Array): Buffer {
  return seal === undefined ? Buffer.from(sha256) : seal.mask(sha256)
}

function unmasked(seal: RowSeal | undefined, hash: Uint8Array): Buffer {
  return seal === undefined ? Buffer.from(hash) : seal.unmask(hash)
}
