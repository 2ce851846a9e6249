import postgres from 'postgres'
import { z } from 'zod'

import type { Database } from '../store/database.ts'
import { withReconnect } from '../store/embedded/reconnect.ts'

/** What the threads of the background work are told when they start. */
export const threadSettingsSchema = z.object({
  connection: z.object({
    path: z.string(),
    user: z.string(),
    database: z.string(),
    connection: z.object({ application_name: z.string() }),
  }),
  home: z.string(),
  archive: z.string(),
})
export type ThreadSettings = z.infer<typeof threadSettingsSchema>

/** One connection to the daemon that the thread belongs to. */
export function openThreadDatabase({ connection }: ThreadSettings): Database {
  const sql = postgres({ ...connection, max: 1, fetch_types: false, onnotice: () => undefined })
  return {
    kind: 'embedded',
    run: (work) => withReconnect(() => work(sql)),
    // Nothing is under way when it is called: the connection is dropped, and the store need not wait for a farewell.
    close: () => sql.end({ timeout: 0 }),
  }
}
