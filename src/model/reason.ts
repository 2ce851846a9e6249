import { createHmac, randomBytes } from 'node:crypto'

import { newId } from './ids.ts'

/** Why something was done, in the words of a person. They are kept in a place of their own, so that they can be sealed and erased. */
export interface GivenReason {
  readonly id: string
  /** What is kept of it: a salt, and the words. */
  readonly body: Uint8Array
  /**
   * What stands for the words in rows that stay: which reason it is, and a hash by which another one in its place is found. It tells
   * nothing to who has not the salt, which is sealed and erased with the words.
   */
  readonly note: string
}

export interface ReasonNote {
  readonly id: string
  readonly hash: string
}

const saltBytes = 32
/** Of what stands for the words. PostgreSQL reads it too. */
export const noteForm = '^reason ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) ([0-9a-f]{64})$'
const notePattern = new RegExp(noteForm)

export function giveReason(words: string): GivenReason {
  const id = newId()
  const body = Buffer.concat([randomBytes(saltBytes), Buffer.from(words, 'utf8')])
  return { id, body, note: `reason ${id} ${hashOf(body)}` }
}

function hashOf(body: Uint8Array): string {
  return createHmac('sha256', body.subarray(0, saltBytes)).update(body.subarray(saltBytes)).digest('hex')
}

/** What a row notes of a reason; undefined where it has words of its own. */
export function readNote(text: string | null): ReasonNote | undefined {
  const [, id, hash] = notePattern.exec(text ?? '') ?? []
  return id === undefined || hash === undefined ? undefined : { id, hash }
}

/** The words of a reason; undefined where it is not the one that was noted. */
export function wordsOf({ hash }: ReasonNote, body: Uint8Array): string | undefined {
  return hashOf(body) === hash ? Buffer.from(body.subarray(saltBytes)).toString('utf8') : undefined
}
