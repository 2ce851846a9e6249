import { createHash, createHmac } from 'node:crypto'

/**
 * What tells an erased thing when it comes again, and nothing else. Ids of ours are random, so that their hash needs no key:
 * an archive is recognised without one. Names that people and programs give can be guessed, and are hashed with a key.
 */
export const tombstonePrefix = {
  session: 'verbatim erased session ',
  message: 'verbatim erased message ',
  /** Of a session that is still there, and of which messages were erased. */
  part: 'verbatim erased part of session ',
  /** Of a message that is still there, without the personal data that it was saved with. */
  anonymised: 'verbatim anonymised message ',
} as const

/** In hexadecimal, as all hashes here. The database makes the same, in `store/erasure`. */
export function idMark(kind: keyof typeof tombstonePrefix, id: string): string {
  return createHash('sha256')
    .update(tombstonePrefix[kind] + id)
    .digest('hex')
}

/**
 * Of a session of which messages were anonymised with names that a model had found, for `idMark` of the kind `part`: rules alone would leave
 * them in an older copy. No id of a session is like it.
 */
export const namesPart = (sessionId: string) => `${sessionId} names`

export function namesMark(sessionId: string): { readonly hash: string; readonly kind: 'part' } {
  return { hash: idMark('part', namesPart(sessionId)), kind: 'part' }
}

/** Of a session's external id, whatever its source: what a caller would save to. */
export function nameMark(key: Uint8Array, externalId: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([externalId]))
    .digest('hex')
}

/** Of a session's external id within its source: what an import would bring again. */
export function sourceMark(key: Uint8Array, session: { readonly source: string; readonly externalId: string }): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([session.source, session.externalId]))
    .digest('hex')
}

/**
 * Whether the sessions of a source are known by nothing but where their file is and how it begins: of what is erased there the entries
 * are known too, so that a copy of the file elsewhere does not bring them again.
 */
export function isKnownByEntries(source: string): boolean {
  return source === 'generic'
}

/** Whether sessions of a source are named by who saves to them: two of one name may have nothing in common. */
export function isSaved(source: string): boolean {
  return source === 'mcp'
}

/** Of an entry of a file in a store that is not encrypted, by the SHA-256 of its bytes, whatever file it stands in. */
export function entryMark(key: Uint8Array, sha256: Uint8Array): string {
  return createHmac('sha256', key)
    .update(JSON.stringify(['entry', 'sha256', Buffer.from(sha256).toString('hex')]))
    .digest('hex')
}
