import { openVerbatim } from '../src/compose.ts'
import { readConfig } from '../src/config.ts'
import { localCaller } from '../src/model/access.ts'
import { connectEmbedded } from '../src/store/embedded/client.ts'
import { makeQueries, readCorpus } from './corpus.ts'
import { waitForIndex } from '../src/search/wait-for-index.ts'
import { rankLexically } from '../src/search/rank.ts'
import { readHits } from '../src/search/hits.ts'
import { parseQuery } from '../src/search/query-text.ts'
import { createTermHasher, defaultTermKey } from '../src/indexing/terms.ts'
import { corpusStatistics, scoreUnits } from '../src/store/search-units.ts'
import { planTerms } from '../src/search/bm25.ts'
const home = process.argv[2] ?? ''
const each = Number(process.argv[3] ?? 60)
const corpus = await readCorpus()
if (!corpus) throw new Error('no corpus')
const verbatim = await openVerbatim(readConfig({ VERBATIM_HOME: home }))
const caller = localCaller('x')
const sql = connectEmbedded({ home, version: '0.1.0', max: 1 }).sql
const db = verbatim.stores.database
const hasher = createTermHasher(defaultTermKey)
await verbatim.status(caller)
const pct = (a: number[], p: number) => (a.toSorted((x, y) => x - y)[Math.floor(a.length * p)] ?? 0).toFixed(1)
const all: number[] = []
for (const { kind, queries } of makeQueries(corpus, { each, seed: 5 })) {
  const t: Record<string, number[]> = {}
  const add = (k: string, v: number) => (t[k] ??= []).push(v)
  const slow: [number, string][] = []
  for (const query of queries) {
    let s = performance.now()
    const lap = (k: string) => { const n = performance.now(); add(k, n - s); s = n }
    const s0 = s
    await verbatim.search(caller, { query, limit: 10, maxTokens: 8000, mode: 'full_text', context: 1, format: 'text' })
    lap('search'); all.push(performance.now() - s0); slow.push([performance.now() - s0, query])
    await waitForIndex(db, 1); lap('waitForIndex')
    const queriesP = [parseQuery(query)]; lap('parse')
    const hasPhrase = queriesP[0]!.phrases.length > 0
    const ranking = await rankLexically(db, hasher, { tenantId: 1, queries: queriesP, filter: {}, limit: hasPhrase ? 1000 : 40 }); lap('rank')
    await readHits(verbatim.stores, { tenantId: 1, queries: queriesP, ranked: ranking.messages, offset: 0, limit: 10 }); lap('hits')
  }
  console.log(kind, Object.entries(t).map(([k, v]) => `${k} ${pct(v, 0.5)}/${pct(v, 0.95)}`).join('  '))
  console.log(slow.sort((a, b) => b[0] - a[0]).slice(0, 5).map(([v, q]) => `   ${v.toFixed(0)} ${q.slice(0, 100)}`).join('\n'))
}
console.log('all', pct(all, 0.5), pct(all, 0.95))
console.log('prepared', (await sql`select count(*) as n, sum(length(statement)) as b from pg_prepared_statements`)[0])
process.exit(0)
