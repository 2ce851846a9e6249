import { limits } from '../../limits.ts'
import type { TextGenerator } from '../../ports/text-generator.ts'
import { learnByModelTopic, learnTopic } from '../../store/outbox.ts'
import { isNoTelling } from './doubt.ts'
import { extractFacts, type TellingMessage } from './extract-facts.ts'
import type { FactSpan, FoundFact } from './fact.ts'
import type { FactFinder } from './learn-worker.ts'
import { factsByModel, saidIn } from './model-facts.ts'

/** Finds facts by patterns of words; with `isModelNext` what was just saved is left to a model after that. */
export function findByPatterns(isModelNext: boolean): FactFinder {
  return {
    topic: learnTopic,
    madeBy: 'patterns',
    next: isModelNext ? learnByModelTopic : undefined,
    find: (messages) => Promise.resolve(messages.flatMap(extractFacts)),
  }
}

/** Of one call. */
const charactersMax = 12_000
const quietMsUsual = 60_000
/** A nod tells nothing. */
const saidCharactersMin = 20

/** Finds by a model what patterns do not. */
export function findByModel(generator: TextGenerator, quietMs = quietMsUsual): FactFinder {
  return {
    topic: learnByModelTopic,
    madeBy: generator.provider,
    quietMs,
    async find(messages) {
      const found: FoundFact[] = []
      for (const batch of batches(messages)) {
        const known = batch.flatMap(extractFacts).flatMap(({ spans }) => spans)
        const facts = await factsByModel(generator, batch, AbortSignal.timeout(limits.generationRequestMs))
        found.push(...facts.filter(({ spans }) => !spans.some((span) => known.some((other) => overlap(span, other)))))
      }
      return found
    },
  }
}

/** A model reads what patterns read, and no documents and prompts either. */
function* batches(messages: readonly TellingMessage[]): Generator<readonly TellingMessage[]> {
  let batch: TellingMessage[] = []
  let characters = 0
  for (const message of messages) {
    const said = saidIn(message.asserted)
    if (said.length > charactersMax || said.trim() === '' || (message.role === 'user' && isNoTelling(said))) continue
    if (characters + said.length > charactersMax) {
      if (isWorthIt(batch)) yield batch
      batch = []
      characters = 0
    }
    batch.push(message)
    characters += said.length
  }
  if (isWorthIt(batch)) yield batch
}

const isWorthIt = (batch: readonly TellingMessage[]) =>
  batch.some(({ role, asserted }) => role === 'user' && saidIn(asserted).length >= saidCharactersMin)

const overlap = (a: FactSpan, b: FactSpan) => a.messageId === b.messageId && a.start < b.end && b.start < a.end
