import { z } from 'zod'

import { InputError } from '../errors.ts'

/**
 * Makes the cursor of a page: opaque for the caller, a place in one kind of list for us.
 * It names no content and grants nothing: what it points at is authorised again at every call.
 */
export function encodeCursor(kind: string, place: Readonly<Record<string, string | number | boolean | null>>): string {
  return Buffer.from(JSON.stringify({ kind, ...place })).toString('base64url')
}

/** Reads a cursor back. A cursor of another list, or one that was altered, is an InputError. */
export function decodeCursor<T>(kind: string, cursor: string, place: z.ZodType<T>): T {
  const refuse = (): never => {
    throw new InputError(`Cannot continue as "cursor" is not one that this list gave`, {
      remedy: 'Pass next_cursor of the previous page unchanged, or leave the cursor out to start again',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return refuse()
  }
  if (!z.object({ kind: z.literal(kind) }).safeParse(value).success) return refuse()
  const parsed = place.safeParse(value)
  return parsed.success ? parsed.data : refuse()
}
