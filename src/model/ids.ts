import { createHash } from 'node:crypto'

import { stringify, v7 } from 'uuid'

/** A new id: UUID version 7, so that ids made later sort later. */
export function newId(): string {
  return v7()
}

/** The id of what follows from something else, always the same: UUID version 8, of a hash. */
export function derivedId(name: string): string {
  const bytes = createHash('sha256').update(name, 'utf8').digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return stringify(bytes)
}

const canonicalId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Tells whether a reference has the form of our own ids. Capitals are accepted by `toLowerCase` before. */
export function looksLikeId(reference: string): boolean {
  return canonicalId.test(reference.toLowerCase())
}
