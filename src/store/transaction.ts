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
  const state = { isOver: false }
  let working: Promise<unknown> = Promise.resolve()
  let over: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    over = resolve
  })
  try {
    const { result } = await sql.begin(async (transaction) => {
      const done = work(whileOpen(transaction, state))
      working = done.catch(() => undefined)
      try {
        return { result: await done }
      } catch (error) {
        // Another turn, as the loss of the connection fails the statement first and the transaction after it.
        await Promise.race([begun, sleep(isLossOfConnection(error) ? closingMs : 0)])
        if (isOver(state)) await new Promise<never>(() => undefined)
        throw error
      }
    })
    return result
  } catch (error) {
    state.isOver = true
    over()
    await working
    throw error
  }
}

function isOver(state: { readonly isOver: boolean }): boolean {
  return state.isOver
}

/** A transaction that takes no more statements when it is over. */
function whileOpen(transaction: TransactionSql, state: { readonly isOver: boolean }): TransactionSql {
  const requireOpen = () => {
    if (state.isOver) throw Object.assign(new Error('The transaction is over'), { code: 'CONNECTION_CLOSED' })
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
