import { setTimeout as sleep } from 'node:timers/promises'

import type { ReservedSql, Sql } from 'postgres'

import { reserveConnection } from '../reserve.ts'
import { openPool, type ServerConnection } from './connection.ts'
import { asServerUnavailable } from './unavailable.ts'

/** Any number that no other program is likely to lock. */
const lockKey = 0x76_65_72_6d

/** A server may take a moment to notice that the process of an earlier move was killed. */
const attempts = 10
const pauseMs = 200

/**
 * Takes the lock of whoever moves a store into this database; undefined where another has it. It is that of a connection,
 * and is gone when the process is. Release it with `release()`.
 */
export async function takeMoveLock(sql: Sql): Promise<ReservedSql | undefined> {
  const connection = await reserveConnection(sql)
  try {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const [lock] = await connection<{ taken: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as taken`
      if (lock?.taken === true) return connection
      await sleep(pauseMs)
    }
  } catch (error) {
    connection.release()
    throw error
  }
  connection.release()
  return undefined
}

export async function releaseMoveLock(connection: ReservedSql): Promise<void> {
  try {
    await connection`select pg_advisory_unlock(${lockKey})`
  } finally {
    connection.release()
  }
}

/** Whether a database holds a store at all; looks only, so that an empty one stays empty. */
export async function holdsStore(address: ServerConnection & { readonly shownAddress: string }): Promise<boolean> {
  const sql = openPool(address, { max: 1, statementMs: 60_000 })
  try {
    const [row] = await sql<{ there: boolean }[]>`select to_regclass('messages') is not null as there`
    return row?.there === true
  } catch (error) {
    throw asServerUnavailable(error, address.shownAddress)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
