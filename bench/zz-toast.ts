import { readFile } from 'node:fs/promises'
import { BenchHome } from './bench-home.ts'
await using home = new BenchHome()
await home.messagesBehind()
const sql = home.sql
const show = await sql`show default_toast_compression`
console.log(show[0])
try { await sql`set default_toast_compression = lz4`; console.log('lz4 ok'); await sql`set default_toast_compression = pglz` } catch (e) { console.log('lz4', String(e)) }
for (const t of ['ext', 'plain', 'lz']) await sql.unsafe(`create table b_${t} (id int primary key, payload bytea)`)
await sql`alter table b_plain alter column payload set storage external`
try { await sql`alter table b_lz alter column payload set compression lz4` } catch (e) { console.log(String(e)) }
for (const f of ['pi/before-compaction.jsonl', 'claude-code/entire/5a_c45bc32212_0.full.jsonl', 'claude-code/claude-code-viewer/sample-project/fe5e1c67-53e7-4862-81ae-d0e013e3270b.jsonl']) {
  let data: Buffer
  try { data = await readFile('../shared/data/transcripts/' + f) } catch { const { listFiles } = await import('../src/capture/import-files.ts'); const m = (await listFiles(['../shared/data/transcripts'])).find((x) => x.path.endsWith(f.split('/').at(-1) ?? '')); data = await readFile(m?.path ?? '') }
  const lines: Buffer[] = []
  for (let at = 0; at < data.length;) { const nl = data.indexOf(10, at); const end = nl < 0 ? data.length : nl + 1; lines.push(data.subarray(at, end)); at = end }
  console.log(f, data.length, lines.length)
  for (const t of ['ext', 'plain', 'lz', 'ext', 'plain', 'lz']) {
    await sql.unsafe(`truncate b_${t}`)
    const s = performance.now()
    for (let i = 0; i < lines.length; i += 500) await sql`insert into ${sql('b_' + t)} ${sql(lines.slice(i, i + 500).map((payload, k) => ({ id: i + k, payload })))}`
    const ms = performance.now() - s
    const size = await sql.unsafe(`select pg_total_relation_size('b_${t}') as n`)
    const s2 = performance.now(); await sql.unsafe(`select payload from b_${t} order by id`); 
    console.log('  ', t, ms.toFixed(0), 'ms', Number(size[0]?.['n']) / 1e6, 'MB read', (performance.now() - s2).toFixed(0))
  }
  // hex parameter cost alone
  const s = performance.now(); await sql`select length(${data}::bytea)`; console.log('   send only', (performance.now() - s).toFixed(0))
}
