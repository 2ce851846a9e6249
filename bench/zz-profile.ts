import { spawn } from 'node:child_process'
import { BenchHome } from './bench-home.ts'
import { makeMessages, makeQueries, readCorpus } from './corpus.ts'
import { importFile, listFiles } from '../src/capture/import-files.ts'
import { setTimeout as sleep } from 'node:timers/promises'
const mode = process.argv[2] ?? 'index'
const n = Number(process.argv[3] ?? 10000)
const corpus = await readCorpus()
if (!corpus) throw new Error('no corpus')
await using home = new BenchHome()
const child = spawn(process.execPath, ['--cpu-prof', '--cpu-prof-dir=/tmp/vbprof/' + mode, 'dist/store/embedded/daemon-main.js', home.path, '--version', '0.1.0'], { stdio: 'inherit' })
const verbatim = await home.verbatim()
await home.messagesBehind()
const texts = makeMessages(corpus, 7)
if (mode === 'import') {
  const t = performance.now()
  let bytes = 0
  for (const { path, sizeBytes } of await listFiles(['../shared/data/transcripts/claude-code', '../shared/data/transcripts/pi'])) { await importFile(verbatim.stores, home.caller, { path }); bytes += sizeBytes }
  console.log('import', bytes / 1e6 / (performance.now() - t) * 1000)
  await home.waitUntilIndexed()
  console.log('indexed', bytes / 1e6 / (performance.now() - t) * 1000)
} else {
  const t = performance.now()
  for (let i = 0; i < n; i += 500) await verbatim.saveMessages(home.caller, { sessionId: 's' + Math.floor(i / 1000), messages: Array.from({ length: 500 }, () => ({ content: texts.next().value, sender: 'u', role: 'user' as const })) })
  console.log('saved', n / (performance.now() - t) * 1000)
  await home.waitUntilIndexed()
  console.log('indexed', n / (performance.now() - t) * 1000)
  const t2 = performance.now()
  for (const { kind, queries } of makeQueries(corpus, { each: 60, seed: 5 })) {
    const times: number[] = []
    const plan: string[] = []
    for (const query of queries) { const s = performance.now(); await verbatim.search(home.caller, { query, limit: 10, maxTokens: 8000, mode: 'full_text', context: 1, format: 'text' }); times.push(performance.now() - s); plan.push(query) }
    const order = times.map((v, i) => [v, plan[i]] as const).sort((a, b) => b[0] - a[0])
    console.log(kind, 'p50', order[30]?.[0].toFixed(1), 'p95', order[3]?.[0].toFixed(1), order.slice(0, 6).map(([v, q]) => `${v.toFixed(0)}: ${q}`))
  }
  console.log('search', performance.now() - t2)
  const row = await home.sql`select count(*) as n from term_stats`
  console.log(row[0])
}
await sleep(100)
