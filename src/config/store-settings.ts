import { z } from 'zod'

import { InputError } from '../errors.ts'
import { parseAddress } from '../model/server-address.ts'

export const storeSettingsShape = {
  DATABASE_URL: z
    .string()
    .optional()
    .describe(
      'A PostgreSQL server, version 15 to 18, as postgres://user:password@host:port/database: the store is there, and many processes on many machines may share it. Default: the embedded store in the home',
    ),
  VERBATIM_DATABASE_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(2)
    .max(1_000)
    .default(10)
    .describe(
      'Connections that one process opens to the server of DATABASE_URL at most; its background work takes up to 14 more, and what listens for changes 3',
    ),
  VERBATIM_TENANT: z
    .string()
    .optional()
    .describe(
      'The tenant of a server whose memory the command line and a stdio server use, by its name; over HTTP the access token decides, and this is the tenant of tokens of an authorization server that name none. Default: the first one',
    ),
  VERBATIM_ROLE: z
    .enum(['all', 'web', 'worker'])
    .default('all')
    .describe(
      'What a process does on a server: all (it answers, and makes what was saved searchable), web (it answers only; another process must do the rest) or worker (the background work only)',
    ),
} as const

/** Where the store is. */
export type StoreSettings = { readonly kind: 'embedded' } | ServerSettings

export interface ServerSettings {
  readonly kind: 'server'
  /** With the password. */
  readonly url: string
  readonly connections: number
}

export type ProcessRole = 'all' | 'web' | 'worker'

/** Throws InputError where DATABASE_URL is set and is not the address of a PostgreSQL database, and where a tenant is named without it. */
export function readStoreSettings(settings: z.infer<z.ZodObject<typeof storeSettingsShape>>): StoreSettings {
  const url = settings.DATABASE_URL
  if (url === undefined) {
    if (settings.VERBATIM_TENANT === undefined) return { kind: 'embedded' }
    throw new InputError('Cannot use VERBATIM_TENANT as the embedded store has one tenant', {
      remedy: 'Set DATABASE_URL too, or unset VERBATIM_TENANT',
    })
  }
  parseAddress(url)
  return { kind: 'server', url, connections: settings.VERBATIM_DATABASE_CONNECTIONS }
}
