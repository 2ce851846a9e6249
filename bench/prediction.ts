import { listFiles } from '../src/capture/documents/list-files.ts'
import { namesIn } from '../src/insight/prediction/read-signals.ts'
import { limits } from '../src/limits.ts'
import type { Role } from '../src/model/messages/message.ts'
import { withoutQuotes } from '../src/search/query/query-text.ts'
import { detectFormat } from '../src/transcripts/registry.ts'
import { sharedData } from '../test/support/shared-data.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench, BenchOptions } from './bench.ts'
import type { BenchResult, Figure } from './figure.ts'
import { median, percentile } from './measure.ts'

interface Said {
  readonly role: Role
  readonly sender: string
  readonly text: string
  readonly at: string
}

/** One conversation as it was held. */
type Conversation = readonly Said[]

/** What a model still sees of its conversation, and how far on the references are looked for. */
const visible = 40
const ahead = 8
const every = 6
const textMax = 20_000

async function readConversations(): Promise<Conversation[] | undefined> {
  const directories = ['claude-code', 'codex', 'openclaw', 'gemini-cli', 'pi'].map((name) =>
    sharedData('transcripts', name),
  )
  const found = directories.filter((directory) => directory !== undefined)
  if (found.length === 0) return undefined
  const conversations: Said[][] = []
  for (const { path } of await listFiles(found)) {
    const detected = await detectFormat(path)
    if (detected === undefined) continue
    for await (const document of detected.format.documents(path)) {
      const conversation: Said[] = []
      for await (const event of document.events) {
        if (event.type !== 'entry' || event.kind !== 'message' || event.text.trim() === '') continue
        conversation.push({
          role: event.role,
          sender: event.sender ?? event.role,
          text: event.text.slice(0, textMax),
          at: event.timestamp ?? '',
        })
      }
      if (conversation.length > 2 * ahead) conversations.push(conversation)
    }
  }
  const once = new Map(
    conversations.map((one) => [
      one
        .slice(0, 5)
        .map(({ text }) => text)
        .join('\n'),
      one,
    ]),
  )
  return [...once.values()].toSorted((a, b) => (a[0]?.at ?? '').localeCompare(b[0]?.at ?? ''))
}

interface Tally {
  wanted: number
  found: number
  shown: number
  useful: number
  readonly times: number[]
}

const emptyTally = (): Tally => ({ wanted: 0, found: 0, shown: 0, useful: 0, times: [] })

interface Answer {
  readonly names?: readonly { readonly names: readonly string[] }[]
  readonly results: readonly { readonly messages: readonly { readonly text: string; readonly hit?: unknown }[] }[]
}

function count(tally: Tally, references: readonly string[], { answer, ms }: { answer: Answer; ms: number }): void {
  const messages = answer.results.flatMap((result) => result.messages)
  const all = [...messages.map(({ text }) => text), ...(answer.names ?? []).flatMap(({ names }) => names)].join('\n')
  tally.times.push(ms)
  tally.wanted += references.length
  tally.found += references.filter((name) => all.includes(name)).length
  const hits = messages.filter(({ hit }) => hit !== undefined)
  tally.shown += hits.length
  tally.useful += hits.filter(({ text }) => references.some((name) => text.includes(name))).length
}

async function timed<T extends Answer>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const startedAt = performance.now()
  const answer = await work()
  return { answer, ms: performance.now() - startedAt }
}

/**
 * Replays real conversations in the order of their times, and asks now and then for what will be needed. A reference is a file, an
 * error or a name of the next 8 messages that none of the last 40 has and some earlier message had: what was recalled has it, or not.
 */
async function measure(
  conversations: readonly Conversation[],
  { embedder, say }: Pick<BenchOptions, 'say'> & { readonly embedder: 'none' | 'local' },
): Promise<Record<'ahead' | 'all' | 'others', Tally>> {
  const tallies = { ahead: emptyTally(), all: emptyTally(), others: emptyTally() }
  await using home = new BenchHome({ isCached: false, embedder })
  const verbatim = await home.verbatim()
  const past = new Set<string>()
  for (const [number, conversation] of conversations.entries()) {
    const reference = `conversation ${number}`
    let saved = 0
    const saveUntil = async (end: number) => {
      for (; saved < end; saved = Math.min(end, saved + 100))
        await verbatim.saveMessages(home.caller, {
          sessionId: reference,
          messages: conversation
            .slice(saved, Math.min(end, saved + 100))
            .map(({ role, sender, text }) => ({ role, sender, content: text })),
        })
      await home.waitUntilIndexed()
    }
    for (let at = every; at + ahead <= conversation.length; at += every) {
      const seen = new Set(conversation.slice(Math.max(0, at - visible), at).flatMap(({ text }) => namesIn(text)))
      const known = new Set([
        ...past,
        ...conversation.slice(0, Math.max(0, at - visible)).flatMap(({ text }) => namesIn(text)),
      ])
      // What tools answer is mostly lists of all there is.
      const next = conversation
        .slice(at, at + ahead)
        .filter(({ role }) => role === 'user' || role === 'assistant')
        .flatMap(({ text }) => namesIn(text))
      const references = [...new Set(next)].filter((name) => known.has(name) && !seen.has(name))
      const last = conversation[at - 1]
      if (references.length === 0 || last === undefined) continue
      await saveUntil(at)
      const sessionId = await verbatim.sessionId(home.caller, reference)
      const usual = { maxTokens: limits.resultTokensDefault, format: 'json' } as const
      count(tallies.ahead, references, await timed(() => verbatim.recallContext(home.caller, { ...usual, sessionId })))
      const query = withoutQuotes(last.text).slice(0, limits.queryCharactersMax)
      if (!/[\p{L}\p{N}]/u.test(query)) continue
      const question = { ...usual, query, limit: limits.recalledMessages, mode: 'hybrid', context: 1 } as const
      count(tallies.all, references, await timed(() => verbatim.search(home.caller, question)))
      count(
        tallies.others,
        references,
        await timed(() => verbatim.search(home.caller, { ...question, notSessionId: sessionId })),
      )
    }
    await saveUntil(conversation.length)
    for (const { text } of conversation) for (const name of namesIn(text)) past.add(name)
    say(
      `${number + 1} of ${conversations.length} conversations, ${conversation.length} messages: ${tallies.ahead.found} of ${tallies.ahead.wanted} references`,
    )
  }
  return tallies
}

const rateOf = ({ found, wanted }: Tally) => (wanted === 0 ? 0 : found / wanted)
const precisionOf = ({ useful, shown }: Tally) => (shown === 0 ? 0 : useful / shown)

function figuresOf(how: string, tallies: Record<'ahead' | 'all' | 'others', Tally>): Figure[] {
  const { ahead: own, all, others } = tallies
  const against = (of: (tally: Tally) => number) =>
    [
      { name: 'search with the last message', tally: all },
      { name: 'the same in other sessions', tally: others },
    ]
      .map(({ name, tally }) => ({ name, value: of(tally), ratio: of(own) / of(tally), ratioOf: 'speeds' as const }))
      .toSorted((a, b) => b.value - a.value)
  return [
    {
      name: `${how}: later references that were recalled`,
      value: rateOf(own),
      unit: '',
      samples: own.wanted,
      baselines: against(rateOf),
      bound: { of: 'ratio', atLeast: 1.3 },
    },
    {
      name: `${how}: recalled messages with a later reference`,
      value: precisionOf(own),
      unit: '',
      samples: own.shown,
      baselines: against(precisionOf),
    },
    {
      name: `${how}: recall, nothing made ahead, p50`,
      value: median(own.times),
      unit: 'ms',
      samples: own.times.length,
    },
    {
      name: `${how}: recall, nothing made ahead, p95`,
      value: percentile(own.times, 0.95),
      unit: 'ms',
      samples: own.times.length,
    },
  ]
}

export const predictionBench: Bench = {
  name: 'prediction',
  async run(options): Promise<BenchResult> {
    const conversations = await readConversations()
    if (conversations === undefined)
      return { bench: 'prediction', figures: [], notes: ['Nothing: shared/data is not beside the repository'] }
    const replayed = options.quick ? conversations.slice(0, 6) : conversations
    const figures: Figure[] = []
    for (const [embedder, how] of [
      ['none', 'by words alone'],
      ['local', 'with the local model'],
    ] as const)
      figures.push(...figuresOf(how, await measure(replayed, { say: options.say, embedder })))
    return { bench: 'prediction', figures, notes: [`${replayed.length} conversations`] }
  },
}
