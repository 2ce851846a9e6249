import { customType, integer } from 'drizzle-orm/pg-core'

/** `bytea`. The driver gives and takes Uint8Array. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

/**
 * The tenant of a row, first in every key. Embedded stores have the one tenant 1.
 */
export const tenantId = () => integer('tenant_id').notNull()

/**
 * Which version of its key sealed the row's private columns; 0 means that they are stored as they are.
 */
export const keyVersion = () => integer('key_version').notNull().default(0)

/** `bigint[]`, written as an array literal: term hashes do not fit a JavaScript number. */
export const bigints = customType<{ data: string }>({ dataType: () => 'bigint[]' })
