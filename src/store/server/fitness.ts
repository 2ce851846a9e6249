import type { Sql } from 'postgres'

import { UnavailableError } from '../../errors.ts'

interface ServerFacts {
  readonly version: string
  readonly encoding: string
  readonly provider: string
  readonly locale: string
  readonly commit: string
  readonly role: string
  /** Whether row level security does not hold for the role. */
  readonly bypasses: boolean
}

const versionMin = 150_000

/** Refuses a server on which a promise of the product could not be kept, with what to do about it. */
export async function refuseUnfitServer(sql: Sql): Promise<void> {
  const [facts] = await sql<ServerFacts[]>`
    select current_setting('server_version_num') as version, pg_encoding_to_char(encoding) as encoding,
      datlocprovider as provider,
      case datlocprovider when 'b' then coalesce(to_jsonb(d)->>'datlocale', '') else datctype end as locale, current_setting('synchronous_commit') as commit,
      current_user as role, (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as bypasses
    from pg_database d where datname = current_database()`
  if (facts === undefined) throw new Error('pg_database has no row of the current database')
  const why = unfitness(facts)
  if (why !== undefined) throw new UnavailableError(`Cannot use this PostgreSQL server as ${why.reason}`, why)
}

function unfitness(facts: ServerFacts): { reason: string; remedy: string } | undefined {
  const version = Number(facts.version)
  if (version < versionMin)
    return {
      reason: `its version must be 15 or newer: current value is ${Math.floor(version / 10_000)}`,
      remedy: 'Upgrade it, or set DATABASE_URL to another',
    }
  if (facts.encoding !== 'UTF8')
    return {
      reason: `the encoding of the database must be UTF8: current value is ${facts.encoding}`,
      remedy: 'Make the database with: create database verbatim encoding UTF8 template template0',
    }
  // `c` is the C library, `b` the builtin provider; ICU folds all of Unicode.
  if (facts.provider !== 'i' && ['C', 'POSIX'].includes(facts.locale))
    return {
      reason: `the locale "${facts.locale}" of the database knows no letters beyond ASCII`,
      remedy: "Make the database with: create database verbatim encoding UTF8 locale 'C.UTF-8' template template0",
    }
  if (facts.bypasses)
    return {
      reason: `the role "${facts.role}" bypasses row level security, which keeps tenants apart`,
      remedy: `Give DATABASE_URL an ordinary role that owns the database. Run as an administrator: create role verbatim login password '…'; create database verbatim owner verbatim; create role verbatim_tenant nologin; grant verbatim_tenant to verbatim`,
    }
  if (facts.commit === 'off')
    return {
      reason: 'synchronous_commit is off: it would acknowledge what a crash can lose',
      remedy: 'Run: alter database verbatim set synchronous_commit = on (with the name of the database)',
    }
  return undefined
}
