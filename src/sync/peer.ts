import { z } from 'zod'

import { tombstoneRecordSchema } from '../archive/restore/archived-tombstones.ts'
import { InputError, UnavailableError } from '../errors.ts'
import { sessionRecordSchema } from '../store/archive/archived-session.ts'
import type { SyncedMessage } from '../store/sync/place-messages.ts'
import { markSchema } from './marks.ts'
import { sessionEditsSchema } from './session-edits.ts'

/** Grows when stores of before and after could not understand each other. */
export const syncVersion = 1

/** Below which servers answer: a question is its name, sent by POST. */
export const syncPath = '/sync/v1'

const id = z.uuid()
const seq = z.number().int().nonnegative()

interface Exchanged {
  readonly asked: z.ZodType
  readonly answered: z.ZodType
}

/** What a store is asked for when two exchange their history, by the name of the question: what is asked, and what is answered. */
export const questions = {
  /** Who answers. */
  identity: { asked: z.object({}), answered: z.object({ sync: z.number().int(), store_id: id, version: z.string() }) },
  /** Which erasures it knows of that are to be known everywhere, with how many tombstones each has. */
  erasures: {
    asked: z.object({}),
    answered: z.object({ erasures: z.array(z.object({ id, tombstones: z.number().int() })) }),
  },
  erasure: { asked: z.object({ id }), answered: tombstoneRecordSchema },
  /** Makes it know erasures, and erase what it has of that. */
  learn: { asked: z.object({ erasures: z.array(tombstoneRecordSchema) }), answered: z.object({}) },
  /** Its sessions by id, a page at a time. */
  sessions: {
    asked: z.object({ after: id.optional() }),
    answered: z.object({ sessions: z.array(z.object({ id, version: seq })), is_last: z.boolean() }),
  },
  /** What a session is now; absent where it is not there. */
  session: {
    asked: z.object({
      session: id,
      /** What the other store calls it, so that one is known too that was erased under another id. */
      named: z.object({ source: z.string(), external_id: z.string().nullable() }).optional(),
    }),
    answered: z.object({
      /** Whether it was erased; where it is not there also whether one of its source and name was. */
      is_erased: z.boolean(),
      /** Whether something of it is being erased. */
      is_erasing: z.boolean(),
      /** With its title, tags and so on left to the edits. */
      record: sessionRecordSchema.optional(),
      is_linear: z.boolean(),
      /** Whether it was shared with some only. */
      is_closed: z.boolean(),
    }),
  },
  /** SHA-256 of the marks of each thousand messages from one on. */
  digests: { asked: z.object({ session: id, from: seq }), answered: z.object({ digests: z.array(z.string()) }) },
  marks: { asked: z.object({ session: id, from: seq }), answered: z.object({ marks: z.array(markSchema) }) },
  /** Messages from one number up to another; as many of them as fit one answer, at least one. */
  read: { asked: z.object({ session: id, from: seq, to: seq }), answered: z.object({}) },
  /** Stores messages, and makes the session where it is not there. */
  write: {
    asked: z.object({
      session: id,
      record: sessionRecordSchema,
      is_closed: z.boolean(),
      /** Whether these are the last ones that are not there. */
      is_last: z.boolean(),
      /** Whether whoever sends them has all that is there, so that what was counted there holds here too then. */
      adopts: z.boolean(),
    }),
    answered: z.object({
      inserted: z.number().int(),
      moved: z.number().int(),
      /** Messages of which the store had their empty places. */
      filled: z.number().int().optional(),
      /** Whether the session was made, under a name that another one had there. */
      is_namesake: z.boolean().optional(),
      /** Why nothing was stored: it was erased here, or something of it is being erased. */
      refused: z.enum(['erased', 'pending']).optional(),
    }),
  },
  /** Counts a session anew. */
  recount: { asked: z.object({ session: id }), answered: z.object({}) },
  /** What was said of a session, here as well as where it was last exchanged with. */
  edits: { asked: z.object({ session: id }), answered: sessionEditsSchema.extend({ is_missing: z.boolean() }) },
  /** Makes it know what was said of a session elsewhere. */
  edit: { asked: z.object({ session: id, edits: sessionEditsSchema }), answered: z.object({ changed: z.boolean() }) },
} as const satisfies Readonly<Record<string, Exchanged>>

export type Question = keyof typeof questions
export type Asked<Q extends Question> = z.infer<(typeof questions)[Q]['asked']>
export type Answered<Q extends Question> = z.infer<(typeof questions)[Q]['answered']>

/** Each with its own schema: what is read by that of a question is what is asked or answered with it. */
const schemas: {
  readonly [Q in Question]: { readonly asked: z.ZodType<Asked<Q>>; readonly answered: z.ZodType<Answered<Q>> }
} = questions

/** Undefined where it is not in the form of the question. */
export function parseAsked<Q extends Question>(question: Q, json: unknown): Asked<Q> | undefined {
  const parsed = schemas[question].asked.safeParse(json)
  return parsed.success ? parsed.data : undefined
}

/** Throws InputError where it is no answer to the question. */
export function parseAnswer<Q extends Question>(question: Q, json: unknown): Answered<Q> {
  const parsed = schemas[question].answered.safeParse(json)
  if (parsed.success) return parsed.data
  throw new InputError(`Cannot read the answer of another store to the question "${question}"`, {
    remedy: 'Let both stores run the same version',
    cause: parsed.error,
  })
}

export interface Answer<Q extends Question> {
  readonly answer: Answered<Q>
  /** Of `read`. */
  readonly messages?: readonly SyncedMessage[]
}

/** A store that history is exchanged with: this one, or one somewhere else. Errors: VerbatimErrors. */
export interface Peer {
  /** `messages` go with `write`. */
  ask<Q extends Question>(question: Q, asked: Asked<Q>, messages?: readonly SyncedMessage[]): Promise<Answer<Q>>
}

/** The other store cannot be reached, or does not let us in: nothing more can be exchanged now. */
export class PeerUnreachable extends UnavailableError {
  override readonly name = 'PeerUnreachable'
}
