import { isDoubtful } from '../../learning/meant/doubt.ts'
import { type SentenceSpan, splitSentences } from '../sentences.ts'

/** What a heading says under which there is nothing but what was decided: not "Open decisions" nor "Decision criteria". */
const decided = [
  String.raw`(?:(?:the|our|all|key|main|major|final|important|agreed|project|product|technical|design|architectur(?:e|al)) )*decisions?(?: (?:made|taken|reached|so far|until now|(?:that )?(?:we|were)(?: have|['’]ve)? (?:made|took|taken|reached)))*`,
  String.raw`decided|agreed|(?:what|things) (?:(?:we|was|were)(?: have|['’]ve)? )?(?:decided|agreed(?: on| upon)?)|(?:we )?(?:have )?(?:decided|agreed)`,
  String.raw`(?:(?:die|unsere|alle|wichtige|wichtigste|getroffene|gefasste)n? )*(?:entscheidung(?:en)?|beschl(?:u|ü)ss(?:e)?)(?: bisher)?|entschieden|beschlossen|festgelegt|vereinbart`,
  String.raw`(?:les |nos )?décisions?(?: prises)?|décidé|(?:las |nuestras )?decisi(?:ón|ones)(?: tomadas)?|decidido|(?:as |nossas )?decis(?:ão|ões)(?: tomadas)?|(?:le )?decisioni(?: prese)?|deciso`,
  String.raw`(?:принятые )?решени[ея]|решено|决定|決定|决策|决议|決定事項|決まったこと|결정|결정 ?사항`,
]
const ofDecisions = new RegExp(`^(?:${decided.join('|')})$`, 'iu')

/** Nothing was decided there, or not yet. */
const open =
  /^\W*(?:none|nothing|n\/?a|no (?:new |other |further )?decisions?|keine|nichts|aucune?|ninguna?)\b(?: (?:yet|so far|was|were|have|has)\b.*|\W*)$|\b(?:tbd|tbc|todo|pending|undecided|open question|(?:still|yet) (?:to|open)|to be (?:decided|discussed|confirmed|determined|agreed)|not (?:yet )?(?:decided|agreed|final)|maybe|perhaps|might|noch (?:offen|nicht|zu)|vielleicht)\b|[?？]|^\W*(?:propos|optional)|^\W*\[[ xX]?\]|^~~|\{\{|(?<!\S)<[\w ]+>|(?<!\S)\[[^\]]{0,60}\](?!\()/iu
/** What an item is marked with that was not chosen. */
const turnedDown = String.raw`(?:rejected|not (?:chosen|selected|taken|adopted|accepted|used)|discarded|dropped|declined|ruled out|abandoned|superseded|withdrawn|reverted|deferred|postponed|optional|verworfen|abgelehnt|rejeté|rechazad[oa]|отклонено|却下|否决|기각)`
const rejected = new RegExp(
  String.raw`[([][^()[\]]{0,30}(?<!\p{L})${turnedDown}(?!\p{L})[^()[\]]{0,60}[)\]]|(?:\s[-–—]|[:：→])\s*${turnedDown}\W*$|^\W*${turnedDown}\s*[:：]|[❌✗✘]`,
  'iu',
)

const heading = /^#{1,6}\s|^(?:\*\*|__)[^*_]+(?:\*\*|__)[:：]?$|^[^.!?。！？]{1,60}[:：]$/u
const label = /^[^#*_].*[:：]$/u
/** What is in the list then was not decided. */
const otherwise = /\b(?:open|pending|to-?do|to do|next|propos\w*|reject\w*|later|offen\w*|not|nicht)\b/iu
const firstSentenceMax = 600
const tabColumns = 4

/** A stretch of a text that was decided, as UTF-16 offsets [start, end). */
export interface ListedDecision {
  readonly start: number
  readonly end: number
}

/**
 * The items of lists that stand under a heading that says that they were decided, as "Decisions" or "Entscheidungen": each with the
 * lines that it goes on in, and where these are longer than `charactersMax`, as many of its sentences as have room, and at least the
 * first. What is asked there, or open, is left out, and so is what stands under an item. `spans` are those of `splitSentences`.
 */
export function listedDecisions(
  text: string,
  { spans, charactersMax }: { readonly spans: readonly SentenceSpan[]; readonly charactersMax: number },
): ListedDecision[] {
  const list = new DecisionList(text)
  for (const span of spans) list.read(span)
  return list.items.flatMap(({ start, end }) => {
    const said = text.slice(start, end)
    if (open.test(said) || rejected.test(said) || isDoubtful(said)) return []
    const length = said.length <= charactersMax ? said.length : lengthOfSentences(said, charactersMax)
    return length === undefined ? [] : [{ start, end: start + length }]
  })
}

/**
 * A list of decisions, read sentence by sentence. It is `closed` until a heading of decisions opens it, at the column of the heading
 * where that is an item itself. Its first item says how deep its items stand: what stands deeper goes on with the one before, or says
 * more of it. Another heading closes it, and prose that begins where its items do.
 */
class DecisionList {
  readonly items: { readonly start: number; end: number }[] = []
  readonly #text: string
  /** What stands no deeper is not under the heading; undefined where the list is closed. */
  #floor: number | undefined
  #column: number | undefined
  /** Whether the last item may go on. */
  #goesOn = false

  constructor(text: string) {
    this.#text = text
  }

  read(span: SentenceSpan): void {
    const column = this.#columnOf(span)
    const words = this.#wordsOf(span)
    const isHeading = span.kind !== 'code' && column !== undefined && heading.test(words)
    if (isHeading && ofDecisions.test(withoutMarks(words))) {
      this.#floor = span.kind === 'item' ? column : -1
      this.#column = undefined
      this.#goesOn = false
    } else if (this.#floor === undefined) return
    else if (span.kind === 'item') this.#readItem(span, column ?? 0)
    else if (isHeading) {
      // "Those of today:" only leads in to the list.
      const leadsIn = this.#column === undefined && label.test(words) && !otherwise.test(words)
      if (!leadsIn) this.#floor = undefined
    } else if (span.kind === 'code') this.#goesOn = false
    else if (this.#column !== undefined) this.#readProse(span, column)
  }

  #readItem(span: SentenceSpan, column: number): void {
    if (column <= (this.#floor ?? 0)) this.#floor = undefined
    else {
      this.#column ??= column
      this.#goesOn = column <= this.#column
      if (this.#goesOn) this.items.push({ start: span.start, end: span.end })
    }
  }

  #readProse(span: SentenceSpan, column: number | undefined): void {
    const last = this.items.at(-1)
    const isOfItem = last !== undefined && this.#goesOn && !/\n\s*\n/u.test(this.#text.slice(last.end, span.start))
    if (isOfItem) last.end = span.end
    else if (column !== undefined && column <= (this.#column ?? 0)) this.#floor = undefined
  }

  /** A heading with a number has a full stop in it. */
  #wordsOf({ start, end }: SentenceSpan): string {
    if (this.#text[start] !== '#') return this.#text.slice(start, end)
    const lineEnd = this.#text.indexOf('\n', start)
    return this.#text.slice(start, lineEnd === -1 ? undefined : lineEnd).trimEnd()
  }

  /** Columns before what begins a line; undefined for what stands in one. */
  #columnOf({ start, kind }: SentenceSpan): number | undefined {
    const before = this.#text.slice(this.#text.lastIndexOf('\n', start - 1) + 1, start)
    if (kind !== 'item' && before.trim() !== '') return undefined
    return (/^[ \t]*/u.exec(before)?.[0] ?? '').replaceAll('\t', ' '.repeat(tabColumns)).length
  }
}

/** The words of a heading, without its number and what marks it. */
function withoutMarks(words: string): string {
  return words.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '')
}

/** How much of a text are whole sentences from its beginning: those that have room, at least the first; undefined where that is too long. */
function lengthOfSentences(text: string, charactersMax: number): number | undefined {
  const ends = splitSentences(text).map(({ end }) => end)
  const [first] = ends
  return (
    ends.findLast((end) => end <= charactersMax) ??
    (first !== undefined && first <= firstSentenceMax ? first : undefined)
  )
}
