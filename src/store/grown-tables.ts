import type { Queries } from './rows.ts'

/** A table of fewer rows is read in whole as fast as by an index. */
const rowsMin = 100

/**
 * Tells the planner how large those tables are that have twice the rows it was told of last. A plan that was made while a table
 * was small is kept until then, and reads all of it: with a thousand sessions each new one looked at the keys of all others.
 * The embedded engine has nothing that does this by itself; a server looks each minute.
 */
export async function analyzeGrown(sql: Queries): Promise<void> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, root.relname) as name
    from pg_stat_user_tables t join pg_class c on c.oid = t.relid
      join pg_class root on root.oid = coalesce(pg_partition_root(c.oid), c.oid) join pg_namespace n on n.oid = root.relnamespace
    where n.nspname = current_schema() and pg_has_role(root.relowner, 'usage')
    group by n.nspname, root.relname
    having sum(t.n_live_tup) >= ${rowsMin} + 2 * sum(greatest(c.reltuples, 0))
    order by n.nspname, root.relname`
  for (const { name } of tables) await sql.unsafe(`analyze ${name}`)
}
