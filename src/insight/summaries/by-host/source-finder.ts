import { detectLanguage } from '../../../indexing/terms/language.ts'
import { lackingIn } from '../../checks/borne-out.ts'
import { numbersThere } from '../../checks/number-words.ts'
import { tellingTerms, type Claim } from './claim.ts'

/** A message that a claim may come from. */
export interface FoundMessage {
  readonly id: string
  readonly seq: number
  readonly sender: string
}

/** A message, and which terms of a claim it has, by their places. */
interface Candidate {
  readonly message: FoundMessage
  readonly has: ReadonlySet<number>
  readonly score: number
}

/** One claim, and what was found for it so far: the best message of all, and of those with each of its terms. */
interface Search {
  readonly claim: Claim
  readonly best: (Candidate | undefined)[]
  readonly byTerm: Map<number, Candidate>
}

/** Messages that bear one claim out together, at most. */
const togetherMax = 4
/** Single messages that are compared before some are put together. */
const singleMax = 3
/** Of the telling words of a claim: in one message, and in some together, where chance finds more. */
const shareOfOne = 0.6
const shareTogether = 0.7
const inDigits = /^\d+(?:\.\d+)?$/u

/**
 * Looks for the messages that bear claims out: all names and numbers of a claim, and enough of its words, in one message or a few together. It
 * is shown the messages once, in any order, and keeps of them what it may need: for each term of a claim one place.
 */
export class SourceFinder {
  readonly #searches: readonly Search[]
  /** Names of claims that no message had so far. */
  readonly #unseen: Set<string>
  readonly #shown = new Set<number>()

  constructor(claims: readonly Claim[]) {
    this.#searches = claims.map((claim) => ({ claim, best: [], byTerm: new Map() }))
    this.#unseen = new Set(claims.flatMap(({ names }) => names))
  }

  /** Takes a message into account; one that was shown before changes nothing. */
  show(message: FoundMessage, text: string): void {
    if (this.#shown.has(message.seq)) return
    this.#shown.add(message.seq)
    const terms = new Set(tellingTerms(text, detectLanguage(text)).flat())
    for (const search of this.#searches) consider(search, { message, terms, characters: text.length })
    const folded = text.normalize('NFKC').toLowerCase()
    const forms = [folded, folded.replaceAll(/(?<=\d),(?=\d)/gu, '')]
    const names = [...this.#unseen]
    // It may stand there in words.
    const spelled = names.some((name) => inDigits.test(name)) ? numbersThere(text).spelled : new Set<string>()
    for (const name of names) {
      const mayBeThere = spelled.has(name) || forms.some((form) => form.includes(name.toLowerCase()))
      if (mayBeThere && lackingIn(name, text).length === 0) this.#unseen.delete(name)
    }
  }

  /** The names of a claim that stand in none of the messages that were shown. */
  unseen({ names }: Claim): readonly string[] {
    return names.filter((name) => this.#unseen.has(name))
  }

  /** The messages that bear a claim out, the most telling first; none where there are none. `textOf` reads one again. */
  async sourcesOf(claim: Claim, textOf: (seq: number) => Promise<string>): Promise<readonly FoundMessage[]> {
    const search = this.#searches.find((one) => one.claim === claim)
    const [first, ...others] = search === undefined ? [] : candidatesOf(search)
    if (first === undefined) return []
    for (const single of [first, ...others.slice(0, singleMax - 1)])
      if (isEnough(claim, [single]) && lackingIn(claim.said, await textOf(single.message.seq)).length === 0)
        return [single.message]
    const together = [first]
    let text = await textOf(first.message.seq)
    while (together.length < togetherMax) {
      const next = mostAdding(claim, together, others)
      if (next === undefined) return []
      together.push(next)
      text += `\n${await textOf(next.message.seq)}`
      if (isEnough(claim, together) && lackingIn(claim.said, text).length === 0)
        return together.map(({ message }) => message)
    }
    return []
  }
}

function consider(
  search: Search,
  shown: { readonly message: FoundMessage; readonly terms: ReadonlySet<string>; readonly characters: number },
): void {
  const { claim, best, byTerm } = search
  const has = new Set<number>()
  for (const [at, forms] of claim.terms.entries()) if (forms.some((form) => shown.terms.has(form))) has.add(at)
  if (has.size === 0) return
  // A long message has many words by chance.
  const score = weightOf(claim, has) / (1 + Math.log1p(shown.characters / 500) / 8)
  const candidate = { message: shown.message, has, score }
  for (const at of has) if (score > (byTerm.get(at)?.score ?? 0)) byTerm.set(at, candidate)
  best.push(candidate)
  best.sort((a, b) => (b?.score ?? 0) - (a?.score ?? 0))
  best.length = Math.min(best.length, singleMax)
}

/** Names and numbers say more than other words. */
function weightOf({ terms, names }: Claim, has: ReadonlySet<number>): number {
  const telling = names.join(' ').toLowerCase()
  let weight = 0
  for (const at of has) weight += telling.includes(terms[at]?.[0] ?? ' ') ? 2 : 1
  return weight
}

function candidatesOf({ best, byTerm }: Search): readonly Candidate[] {
  const all = new Map<number, Candidate>()
  for (const candidate of [...best, ...byTerm.values()])
    if (candidate !== undefined) all.set(candidate.message.seq, candidate)
  return [...all.values()].toSorted((a, b) => b.score - a.score || a.message.seq - b.message.seq)
}

function isEnough({ terms }: Claim, candidates: readonly Candidate[]): boolean {
  const has = new Set(candidates.flatMap((candidate) => [...candidate.has]))
  const share = candidates.length === 1 ? shareOfOne : shareTogether
  return has.size >= Math.max(Math.min(2, terms.length), Math.ceil(terms.length * share))
}

/** Of the others the one that has most of what is lacking; undefined where none has any. */
function mostAdding(claim: Claim, chosen: readonly Candidate[], others: readonly Candidate[]): Candidate | undefined {
  const has = new Set(chosen.flatMap((candidate) => [...candidate.has]))
  const adds = others
    .map((candidate) => ({
      candidate,
      weight: weightOf(claim, new Set([...candidate.has].filter((at) => !has.has(at)))),
    }))
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight || b.candidate.score - a.candidate.score)
  return adds[0]?.candidate
}
