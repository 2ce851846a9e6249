import { connect } from 'node:net'

import postgres from 'postgres'
import { z } from 'zod'

import type { Observer } from '../ports/observer.ts'
import type { Database } from '../store/database.ts'
import { guarded } from '../store/guarded-socket.ts'
import type { VaultSettings } from '../store/keys/sealing-choice.ts'
import { Vault } from '../store/keys/vault.ts'
import { withReconnect } from '../store/reconnect.ts'
import { ServerDatabase } from '../store/server/server-database.ts'

/** What the threads of the background work are told when they start. */
export const threadSettingsSchema = z.object({
  store: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('embedded'),
      connection: z.object({
        path: z.string(),
        user: z.string(),
        database: z.string(),
        connection: z.object({ application_name: z.string() }),
      }),
    }),
    z.object({
      kind: z.literal('server'),
      url: z.string(),
      shownAddress: z.string(),
      applicationName: z.string(),
    }),
  ]),
  home: z.string(),
  archive: z.string(),
  /** Tells this process from others on the same home, where each has threads of its own. */
  owner: z.string().optional(),
  /** Where false, vectors of queries are offered and nothing else is done. */
  works: z.boolean(),
})
export type ThreadSettings = z.infer<typeof threadSettingsSchema>

/** Indexes of vectors take minutes. */
const serverStatementMs = 1_800_000

export interface ThreadConnections {
  readonly encryption: VaultSettings
  /**
   * To a server. A worker holds one for the work that it has locked, and reads and writes by others: more than there are
   * workers, or all wait for one that none gives back.
   */
  readonly serverConnections: number
}

/** The database for the thread alone: one connection to the daemon that it belongs to, or a few to a server. */
export function openThreadDatabase(
  { store }: ThreadSettings,
  observer: Observer,
  { encryption, serverConnections }: ThreadConnections,
): Database {
  if (store.kind === 'server')
    return new ServerDatabase({
      ...store,
      max: serverConnections,
      statementMs: serverStatementMs,
      observer,
      encryption,
    })
  const { path, ...connection } = store.connection
  const settings = {
    ...connection,
    max: 1,
    fetch_types: false,
    onnotice: () => undefined,
    // A way to make the socket, which postgres.js has and its types leave out.
    socket: async () => guarded(connect(path)),
  }
  const sql = postgres(settings)
  const run: Database['run'] = (work) => withReconnect(() => work(sql))
  const vault = new Vault(run, encryption)
  return {
    kind: 'embedded',
    vault,
    of() {
      return this
    },
    run,
    // Nothing is under way when it is called: the connection is dropped, and the store need not wait for a farewell.
    close() {
      vault.close()
      return sql.end({ timeout: 0 })
    },
  }
}
