import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Sql, TransactionSql } from 'postgres'

/** A server that ends a connection says so before it closes it. */
const closingMs = 1_000

/**
 * Runs `work` in a transaction: all of it, or nothing. Where the connection is lost meanwhile, it fails with that after `work`
 * has ended, so that a second attempt has no first one beside it.
 *
 * postgres.js 3.4.9 would go on in a transaction whose connection is gone: what is asked for then, and its own `rollback`, are
 * written to a socket that is not there, outside of any promise, and that ends the process.
 */
export async function inTransaction<T>(sql: Sql, work: (transaction: TransactionSql) => Promise<T>): Promise<T> {
  let working: Promise<unknown> = Promise.resolve()
  const over = new AbortController()
  try {
    const { result } = await sql.begin(async (transaction) => {
      const done = work(whileOpen(transaction, over.signal))
      working = Promise.allSettled([done])
      try {
        const result = await done
        // It went well, with a connection that it needed no more and that was lost meanwhile: there is nothing to commit on.
        if (over.signal.aborted) await new Promise<never>(() => undefined)
        return { result }
      } catch (error) {
        // Another turn, as the loss of the connection fails the statement first and the transaction after it.
        await Promise.race([
          over.signal.aborted ? undefined : once(over.signal, 'abort'),
          sleep(isLossOfConnection(error) ? closingMs : 0),
        ])
        if (over.signal.aborted) await new Promise<never>(() => undefined)
        throw error
      }
    })
    return result
  } finally {
    // A statement that comes too late must not run on the connection outside of the transaction.
    over.abort()
    await working
  }
}

/** A transaction that takes no more statements when it is over. */
function whileOpen(transaction: TransactionSql, over: AbortSignal): TransactionSql {
  const requireOpen = () => {
    if (over.aborted) throw Object.assign(new Error('The transaction is over'), { code: 'CONNECTION_CLOSED' })
  }
  return new Proxy(transaction, {
    apply(target, self, args: unknown[]): unknown {
      requireOpen()
      return Reflect.apply(target, self, args)
    },
    get(target, name): unknown {
      if (name === 'unsafe') requireOpen()
      return Reflect.get(target, name)
    },
  })
}

/** Of the driver, of the system, or a server's farewell. */
function isLossOfConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(CONNECTION_|E[A-Z]+$|57P0|08)/.test(code)
}
