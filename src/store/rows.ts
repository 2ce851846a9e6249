import type { Sql, TransactionSql } from 'postgres'

/** What a statement is composed with: a connection pool or a transaction. */
export type Queries = Sql | TransactionSql

/** What statements are composed with that only make sense together. */
export type Transaction = TransactionSql

/** A timestamp as the database gives it, in ISO 8601 with milliseconds in UTC. */
export function isoTime(value: string | Date): string
export function isoTime(value: string | Date | null): string | null
export function isoTime(value: string | Date | null): string | null {
  if (value === null) return null
  return (value instanceof Date ? value : new Date(value)).toISOString()
}
