import type { Sql, TransactionSql } from 'postgres'

/**
 * A pool's face on one transaction: every statement goes to the transaction, and a transaction within is a part of it, which
 * fails as a whole, so that code which was written for a pool does not leave it. No savepoint: postgres.js would roll back to
 * it on a connection that was lost.
 */
export function withinTransaction(pool: Sql, transaction: TransactionSql): Sql {
  const begin = async (...all: unknown[]): Promise<unknown> => {
    const work = all.at(-1)
    if (typeof work !== 'function') throw new TypeError('A transaction needs something to do')
    return await Reflect.apply(work, undefined, [transaction])
  }
  return new Proxy(pool, {
    apply: (_pool, self, args: unknown[]): unknown => Reflect.apply(transaction, self, args),
    get(_pool, name): unknown {
      if (name === 'begin') return begin
      if (name === 'reserve' || name === 'end' || name === 'listen')
        throw new TypeError(`A transaction has no "${name}"`)
      return Reflect.get(transaction, name)
    },
  })
}
