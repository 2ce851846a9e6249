import type { Sql } from 'postgres'

/**
 * Writes the files of an embedded database anew, without what deleted rows have left in them: its tables and indexes, what the
 * planner has noted of their values, and the log. Others wait meanwhile; it takes as much room as the largest table.
 */
export async function rewriteFiles(sql: Sql): Promise<void> {
  const tables = await sql<{ name: string; parent: boolean }[]>`
    select c.oid::regclass::text as name, c.relkind = 'p' as parent from pg_class c
    where c.relkind in ('r', 'p') and c.relnamespace not in (
      select oid from pg_namespace where nspname like 'pg\\_%' or nspname = 'information_schema')
    order by c.relkind, pg_total_relation_size(c.oid)`
  // An empty table is not analyzed, and what was noted of it would stay. Below are the tables of PostgreSQL itself.
  await sql`delete from pg_statistic where starelid >= 16384`
  // Table by table: one statement must not take longer than the engine may be silent.
  for (const { name, parent } of tables) await sql.unsafe(parent ? `analyze ${name}` : `vacuum (full, analyze) ${name}`)
  await sql`vacuum full pg_statistic`
  await rewriteLog(sql)
}

/**
 * A file of the log that is done with is kept, with what is in it, to be written again some day: all of them are gone through,
 * as a switch to the next one fills the rest of it with zeroes, and removed.
 */
async function rewriteLog(sql: Sql): Promise<void> {
  // The engine has one session for all, which this holds for.
  await sql`set wal_recycle = off`
  try {
    await sql`
      do $$ begin
        for n in 1..(select count(*) from pg_ls_waldir()) loop
          perform pg_logical_emit_message(false, 'verbatim', ''), pg_switch_wal();
        end loop;
      end $$`
    await sql`checkpoint`
  } finally {
    await sql`reset wal_recycle`
  }
}
