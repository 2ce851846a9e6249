import type { Role } from '../../model/messages/message.ts'
import type { FactSpan, FoundFact } from './fact.ts'
import { saidIn, type Asserted } from './meant/asserted.ts'
import {
  conditionOf,
  isDoubtful,
  isNoTelling,
  isReported,
  isSupposed,
  isToBeWorkedOn,
  withoutNoLonger,
  withoutQuestion,
} from './meant/doubt.ts'
import { ownListedDecisions, ownSentences, type OwnSentence } from './meant/own-sentences.ts'
import { withoutPassedOn } from './meant/passed-on.ts'
import { isQuoted } from './meant/quoted.ts'
import { isTakenBackBy, isUndone } from './meant/undone.ts'
import { pointsElsewhere } from './meant/vague.ts'
import { rules } from './rules/all.ts'
import { relation } from './rules/people.ts'
import type { Rule } from './rules/rule.ts'

/** A message as facts are looked for in it. */
export interface TellingMessage {
  readonly id: string
  readonly seq: number
  readonly role: Role
  readonly sender: string
  /** ISO 8601. */
  readonly timestamp: string
  readonly asserted: Asserted
}

const factCharacters = { min: 8, max: 240 } as const
const factsPerMessageMax = 8
/** A longer message is a report or a document, or was cut. */
const documentCharactersMax = 20_000

const leadIn =
  /^(?:(?:and|but|so|also|well|yes|yeah|yep|no|nope|ok(?:ay)?|sure|great|right|thanks|thank you|hi|hello|hey|btw|by the way|actually|fyi|note|please note that|oh|alright|perfect|anyway|personally|overall|in general|generally)(?: there| all| again)?\s*[,:!.–—-]*\s+|i(?: have|['’]ve)?(?: just| recently)? moved(?: house| home)?\s*[:;–—]\s*)+/iu
const boundary =
  /(?:[,;–—]|\s-)\s+(?:(?:and|but|so|also|because|since|as|then)\s+)?|\s(?:and|but|because|so)\s+(?=(?:i|we|my|our)\b)/giu
const mark = /^[\s*_~`"“”'’(]+/u
const trailing = /(?<![\s*_~`"“”.,;!])[\s*_~`"“”.,;!]+$/u
/** What leads on to another clause. Each begins where nothing of it stands before, so that a run of spaces is read once. */
const endsIn = /(?<![,;–—\s-])[,;–—\s-]+(?:(?:and|but|so|also|because|since|as|then)\s*)?$/iu

/** `I love sailing too` says no more than `I love sailing`. */
const likewise = /(?<![\s,])[\s,]+(?:too|also|as well)$/iu

/** What is over soon. */
const passing =
  /\btemporar(?:y|ily)\b|\b(?:next|last|this|coming) (?:week(?:end)?|month|day|time|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b/iu
/** The same of what happened once: `last week` says when, and `for a week` for how long. */
const passingSince = /\btemporar(?:y|ily)\b|\b(?:next|coming) (?:week(?:end)?|month|year|day|time)\b/iu
/** A time of life that is over. */
const longAgo = /\b(?:when|while|until|as an? (?:child|kid|teen\p{L}*|baby|student))\b/iu
/** Where a clause goes on about something else. */
const goesOn =
  /,?\s+(?:['’]cause|because|so that|so i|so we|so it|which|i['’]m|i['’]ve)\b|,\s*(?:and|so|since|as|but|it['’]s|they['’]re|i['’]m|i|we|they|it)\b|(?:,|,?\s(?:and|but))\s*(?:no longer|not\b[^,;]*\bany ?more)\b|\s[-–—]\s|\s+\((?!\w*\))/iu

/** Words that every rule for decisions has: most sentences have none of them, and need not be looked at closely. */
const decisive =
  /\b(?:deci(?:ded|sion)|agreed|chose|chosen|settled|let['’]s|go with|stick with|going|switching|moving|sticking|standardi[sz]ing)\b/iu

/** A word of every heading of decisions: a text without one need not be read for lists. */
const headingOfDecisions = /deci|décis|décid|agreed|entsch|beschl|festgelegt|vereinbart|реш|[决決]|결정/iu
const listedConfidence = 0.85

/** The places in a sentence where a clause begins. */
function clauseStarts(sentence: string): number[] {
  const first = mark.exec(sentence)?.[0].length ?? 0
  const led = first + (leadIn.exec(sentence.slice(first))?.[0].length ?? 0)
  const inner = [...sentence.matchAll(boundary)].map((match) => match.index + match[0].length)
  return [...new Set([first, led, ...inner.filter((at) => at > led)])]
}

/** What a clause tells whose value begins at a place, without what goes on after it about something else. */
function toldIn(clause: string, valueAt: number): string {
  const own = clause.replace(endsIn, '')
  const on = goesOn.exec(own.slice(valueAt))
  const until = on === null ? 0 : valueAt + on.index
  return (until < factCharacters.min ? own : own.slice(0, until)).replace(trailing, '').replace(likewise, '')
}

interface Match {
  readonly rule: Rule
  readonly start: number
  /** Where its value begins, behind `start`. */
  readonly valueAt: number
  /** Whether it holds under a condition alone, which is part of it. */
  readonly isConditional?: boolean
  readonly parts: Readonly<Record<string, string | undefined>>
}

/** A match with the words that tell it. */
type Told = Match & { readonly own: string }

/** A name begins with a capital or a figure, or as `iPhone` does. */
const name = /^(?:(?:the|an?) )?["“'‘`*_]*(?:[\p{Lu}\p{N}]|(?:[eix]|mac|tv|watch|vision)\p{Lu})/u

function matchAt(sentence: string, start: number, role: Role): Match | undefined {
  for (const rule of rules) {
    if (rule.by === 'user' && role !== 'user') continue
    rule.pattern.lastIndex = start
    const found = rule.pattern.exec(sentence)
    const value = found?.groups?.['value']
    if (found === null || value === undefined) continue
    // Behind a place, `this month` says when.
    if (pointsElsewhere(found.groups?.['at'] ?? value)) continue
    if (rule.isName === true && !name.test(value)) continue
    if (rule.fits?.(found.groups ?? {}) === false) continue
    return { rule, start, valueAt: found[0].lastIndexOf(value), parts: found.groups ?? {} }
  }
  return undefined
}

function factsOfSentence(
  message: TellingMessage,
  { text, start: offset }: OwnSentence,
  following: readonly OwnSentence[],
): FoundFact[] {
  const stands = toldBy(text, message.role).filter(({ rule, parts }) =>
    rule.kind === 'procedure' ? !isUndone(parts, following) : !isTakenBackBy(following),
  )
  return stands.map(({ rule, start, own, parts, isConditional }) => {
    // What somebody prefers in one case says nothing against what they prefer else.
    const isOfOneCase = isConditional === true && rule.kind !== 'decision'
    const [about, claim] = isOfOneCase ? [] : [rule.slot?.(parts), rule.claim?.(parts)]
    const claimed = claim === undefined ? undefined : slotOf({ kind: rule.ends ?? rule.kind }, message.sender, claim)
    const answers = about === undefined ? undefined : slotOf(rule, message.sender, about)
    return {
      kind: rule.kind,
      text: own.replaceAll(/\s+/gu, ' '),
      subject: message.sender,
      slot: rule.negates === true && claimed !== undefined && rule.slot === undefined ? claimed : answers,
      claim: claimed,
      confidence: rule.confidence,
      validFrom: message.timestamp,
      spans: [{ messageId: message.id, seq: message.seq, start: offset + start, end: offset + start + own.length }],
    }
  })
}

/** Whether a sentence tells what was decided. */
export function tellsDecision(sentence: string, role: Role): boolean {
  return decisive.test(sentence) && toldBy(sentence, role).some(({ rule }) => rule.kind === 'decision')
}

/** What a sentence tells: not what is asked, supposed or quoted, nor what is over soon. */
function toldBy(text: string, role: Role): Told[] {
  const relations = role === 'user' ? relationsIn(text) : []
  const sentence = withoutQuestion(text)
  const matches = isDoubtful(sentence) ? [] : tellingMatches(sentence, role)
  return [...matches, ...relations].filter(
    ({ own, start, rule }) =>
      own.length >= factCharacters.min &&
      own.length <= factCharacters.max &&
      !own.includes('\n\n') &&
      !(rule.happened === true ? passingSince : passing).test(own) &&
      !isQuoted(text, start),
  )
}

/** The clauses of a sentence that tell something, each up to where the next begins, with the condition under which it holds. */
function tellingMatches(sentence: string, role: Role): Told[] {
  const starts = clauseStarts(sentence)
  const all = starts.flatMap((start) => matchAt(sentence, start, role) ?? [])
  // Of `for the record, I live in Porto` the second tells it.
  const matches = all.filter(({ start, valueAt }, at) => (all[at + 1]?.start ?? Infinity) > start + valueAt)
  return matches.flatMap((found, index) => {
    const from = starts.findLast((at) => at < found.start)
    const led = from === undefined || from === matches[index - 1]?.start ? '' : sentence.slice(from, found.start)
    const condition = found.rule.happened === true ? 'none' : conditionOf(led)
    if (condition === 'passing' || (found.rule.happened === true && longAgo.test(led))) return []
    const match = condition === 'none' ? found : { ...found, start: found.start - led.length, isConditional: true }
    const told = toldIn(sentence.slice(found.start, matches[index + 1]?.start ?? sentence.length), found.valueAt)
    const { start } = match
    const own = sentence.slice(start, found.start + told.length)
    const [before, behind] = [sentence.slice(0, start), sentence.slice(start + own.length)]
    const clause = {
      before: matches.slice(0, index).some(({ rule }) => rule.negates) ? withoutNoLonger(before) : before,
      own: match.rule.negates === true ? withoutNoLonger(own) : own,
      behind,
    }
    return isReported(before) || isSupposed(clause) ? [] : { ...match, own }
  })
}

/** Whom somebody names by the way. */
function relationsIn(sentence: string): Told[] {
  return [...sentence.matchAll(relation.pattern)].map(({ 0: own, index, groups }) => ({
    rule: relation,
    start: index,
    valueAt: 0,
    own,
    parts: groups ?? {},
  }))
}

/** What is decided, what helped and what is where is so for all who work at it; the rest is of who says it. */
export function slotOf({ kind }: Pick<Rule, 'kind'>, sender: string, about: string): string {
  const ofAll = kind === 'decision' || kind === 'procedure' || about.startsWith('the ')
  return `${kind}|${ofAll ? '' : sender.toLowerCase()}|${about.toLowerCase()}`
}

/**
 * The facts that a message tells, by patterns of words: few, and each word for word as it was said. Only what a user or an
 * assistant asserts is looked at; what is asked, supposed, quoted, joked or pasted is not.
 */
export function extractFacts(whole: TellingMessage): FoundFact[] {
  const { role } = whole
  if (role !== 'user' && role !== 'assistant') return []
  if (saidIn(whole.asserted).length > documentCharactersMax) return []
  const asserted = withoutPassedOn(whole.asserted, whole)
  const message = { ...whole, asserted }
  const said = saidIn(asserted)
  if (role === 'user' && isToBeWorkedOn(said)) return []
  const told =
    role === 'user' && isNoTelling(said)
      ? []
      : ownSentences(asserted).flatMap((sentence, at, all) => factsOfSentence(message, sentence, all.slice(at + 1)))
  const isTold = ([span]: FoundFact['spans']) => told.some(({ spans: [other] }) => overlap(span, other))
  // Also in a document: its heading says that they were decided.
  const listed = headingOfDecisions.test(said) ? listedIn(message).filter(({ spans }) => !isTold(spans)) : []
  return [...told, ...listed].slice(0, factsPerMessageMax)
}

/** What stands in a list under a heading that says that it was decided. */
function listedIn(message: TellingMessage): FoundFact[] {
  return ownListedDecisions(message.asserted, factCharacters.max).flatMap(({ text, start }) => {
    const own = text.replace(/[\s.,;!]+$/u, '')
    if (own.length < factCharacters.min || passing.test(own) || pointsElsewhere(own)) return []
    return {
      kind: 'decision' as const,
      text: own.replaceAll(/\s+/gu, ' '),
      subject: message.sender,
      slot: undefined,
      confidence: listedConfidence,
      validFrom: message.timestamp,
      spans: [{ messageId: message.id, seq: message.seq, start, end: start + own.length }],
    }
  })
}

function overlap(a: FactSpan | undefined, b: FactSpan | undefined): boolean {
  return a !== undefined && b !== undefined && a.start < b.end && b.start < a.end
}
