import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Sql, TransactionSql } from 'postgres'

import { codeOf } from '../errors.ts'

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
      const done = work(whileOpen(transaction, over))
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

/**
 * A transaction that takes no more statements when it is over. It is over as soon as a statement was lost with the connection:
 * what its work asks for in answer to that would be the first to write to a socket that is not there.
 */
function whileOpen(transaction: TransactionSql, over: AbortController): TransactionSql {
  const requireOpen = () => {
    if (over.signal.aborted) throw Object.assign(new Error('The transaction is over'), { code: 'CONNECTION_CLOSED' })
  }
  const watched = (made: unknown): unknown => {
    // Of the driver, whose types leave it out. To wait for the statement would send it, also where it is a part of another.
    if (!(made instanceof Promise) || !('reject' in made) || typeof made.reject !== 'function') return made
    const { reject } = made
    made.reject = (error: unknown) => {
      if (isLostConnection(error)) over.abort()
      Reflect.apply(reject, made, [error])
    }
    return made
  }
  return new Proxy(transaction, {
    apply(target, self, args: unknown[]): unknown {
      requireOpen()
      return watched(Reflect.apply(target, self, args))
    },
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'unsafe' || typeof value !== 'function') return value
      requireOpen()
      return (...args: unknown[]): unknown => watched(Reflect.apply(value, target, args))
    },
  })
}

/** Without a word of the server's: nothing can be written any more. */
function isLostConnection(error: unknown): boolean {
  return /^(CONNECTION_|E[A-Z]+$)/.test(codeOf(error) ?? '')
}

/** Of the driver, of the system, or a server's farewell. */
function isLossOfConnection(error: unknown): boolean {
  return isLostConnection(error) || /^(57P0|08)/.test(codeOf(error) ?? '')
}
