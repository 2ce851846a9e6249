import { BenchHome } from './bench-home.ts'
import { makeMessages, readCorpus } from './corpus.ts'
const n = Number(process.argv[2] ?? 10000)
const corpus = await readCorpus()
if (!corpus) throw new Error('no corpus')
const home = new BenchHome()
console.log(home.path)
const verbatim = await home.verbatim()
await home.messagesBehind()
const texts = makeMessages(corpus, 7)
const t = performance.now()
for (let i = 0; i < n; i += 500) await verbatim.saveMessages(home.caller, { sessionId: 's' + Math.floor(i / 1000), messages: Array.from({ length: 500 }, () => ({ content: texts.next().value, sender: 'u', role: 'user' as const })) })
console.log('saved', n / (performance.now() - t) * 1000)
let t1 = performance.now(), last = await home.messagesBehind()
for (;;) { await new Promise(r => setTimeout(r, 5000)); const b = await home.messagesBehind(); console.log(b, (last - b) / (performance.now() - t1) * 1000); t1 = performance.now(); last = b; if (b === 0) break }
console.log('indexed', n / (performance.now() - t) * 1000)
await home.endDaemon()
