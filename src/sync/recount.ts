import type { SessionKey } from '../store/messages.ts'
import { lockHead, noteChanged, recountSession } from '../store/sync/synced-session.ts'
import { inTransaction } from '../store/transaction.ts'
import type { LocalStore } from './local-store.ts'

/** Counts a session anew, from its messages. */
export async function recount({ database }: LocalStore, key: SessionKey): Promise<void> {
  await database.run((sql) =>
    inTransaction(sql, async (own) => {
      if ((await lockHead(own, key)) === undefined) return
      await recountSession(own, key)
      await noteChanged(own, key)
    }),
  )
  database.announce?.(key)
}
