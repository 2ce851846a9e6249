import { limits } from '../../limits.ts'
import { patternsNow } from '../../model/extractors.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import type { TextGenerator } from '../../ports/text-generator.ts'
import { learnAnewTopic, learnByModelTopic, learnTopic } from '../../store/work/outbox.ts'
import { extractFacts, type TellingMessage } from './extract-facts.ts'
import type { Batch, FactFinder } from './fact-finder.ts'
import type { FactSpan } from './fact.ts'
import { saidIn } from './meant/asserted.ts'
import { isNoTelling } from './meant/doubt.ts'
import { ownTextOf } from './meant/own-sentences.ts'
import { withoutPassedOn } from './meant/passed-on.ts'
import { factsByModel } from './model-facts.ts'

/**
 * Finds facts by patterns of words; with `isModelNext` what was just saved is left to a model after that. Messages that are read again, as they
 * were restricted for a time, may have facts of an earlier version.
 */
export function findByPatterns(isModelNext: boolean): FactFinder {
  return {
    topic: learnTopic,
    madeBy: patternsNow,
    isAnew: true,
    next: isModelNext ? learnByModelTopic : undefined,
    firstBatch: (messages) => ({ messages, nextSeq: undefined }),
    find: (messages) => Promise.resolve(messages.flatMap(extractFacts)),
  }
}

/** Finds anew by patterns what an earlier version has found. A model has read it, or has not, as it was to. */
export function findAnew(): FactFinder {
  return { ...findByPatterns(false), topic: learnAnewTopic, version: patternsNow }
}

/** Of one call. */
const charactersMax = 12_000
const quietMsUsual = 60_000
/** A nod tells nothing. */
const ownCharactersMin = 20

/** Finds by a model what patterns do not. `observer` is told how much of what it writes is taken. */
export function findByModel(
  generator: TextGenerator,
  { observer = unobserved, quietMs = quietMsUsual }: { readonly observer?: Observer; readonly quietMs?: number } = {},
): FactFinder {
  const { provider } = generator
  return {
    topic: learnByModelTopic,
    madeBy: provider,
    model: `${provider} ${generator.model}`,
    quietMs,
    firstBatch,
    async find(messages) {
      if (messages.length === 0) return []
      const known = messages.flatMap(extractFacts).flatMap(({ spans }) => spans)
      const signal = AbortSignal.timeout(limits.generationRequestMs)
      const { facts, malformed, unsupported } = await factsByModel(generator, messages, signal)
      const taken = facts.filter(({ spans }) => !spans.some((span) => known.some((other) => overlap(span, other))))
      const counts = { taken: taken.length, known: facts.length - taken.length, unsupported, malformed }
      observer.note({ kind: 'model_facts', provider, counts })
      return taken
    },
  }
}

/** The first that is worth a call. A model reads what patterns read, and no documents and prompts either. */
function firstBatch(messages: readonly TellingMessage[]): Batch {
  let batch: TellingMessage[] = []
  let characters = 0
  let isWorthIt = false
  for (const message of messages) {
    const { role, seq } = message
    const asserted = withoutPassedOn(message.asserted, message)
    const said = saidIn(asserted)
    if (said.length > charactersMax || (role === 'user' && isNoTelling(said))) continue
    const own = ownTextOf(asserted)
    if (own === '') continue
    if (characters + own.length > charactersMax) {
      if (isWorthIt) return { messages: batch, nextSeq: seq }
      batch = []
      characters = 0
    }
    batch.push({ ...message, asserted })
    characters += own.length
    isWorthIt ||= role === 'user' && own.length >= ownCharactersMin
  }
  return { messages: isWorthIt ? batch : [], nextSeq: undefined }
}

const overlap = (a: FactSpan, b: FactSpan) => a.messageId === b.messageId && a.start < b.end && b.start < a.end
