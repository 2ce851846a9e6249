import { v7 } from 'uuid'

/** A new id: UUID version 7, so that ids made later sort later. */
export function newId(): string {
  return v7()
}

const canonicalId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Tells whether a reference has the form of our own ids. Capitals are accepted by `toLowerCase` before. */
export function looksLikeId(reference: string): boolean {
  return canonicalId.test(reference.toLowerCase())
}
