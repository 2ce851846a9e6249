/** The kinds of personal data and secrets that are told apart, as views and figures name them. */
export const dataTypes = [
  'payment_card',
  'iban',
  'phone',
  'email',
  'network_address',
  'national_id',
  'record_number',
  'date_of_birth',
  'website',
  'address',
  'place',
  'organization',
  'person',
  'secret',
] as const
export type DataType = (typeof dataTypes)[number]

/** A stretch of a text, in UTF-16 units, that tells something about a person, or a secret. */
export interface Detection {
  readonly type: DataType
  readonly start: number
  readonly end: number
  /** From 0 to 1: where two detections overlap, the surer one keeps the stretch. */
  readonly confidence: number
  /** Of a secret: what it is, as far as that can be told (`secrets/secret-kinds.ts`). */
  readonly kind?: string
  /** What it stands for, where that is written in another way. */
  readonly value?: string
}

/** Finds one kind of data in a text, in time that grows with its length and no faster. Detections may overlap. */
export type Detector = (text: string) => readonly Detection[]

export interface Rule {
  readonly type: DataType
  /** Global. Its first group is what is found, where it has one; else all of it. Every repetition in it is bounded. */
  readonly pattern: RegExp
  readonly confidence: number
  /** Of a secret: what a match is. */
  readonly kindOf?: (found: string) => string
  /** Whether a match is what it looks like: check digits, the words before it. */
  readonly accepts?: (found: string, place: Place) => boolean
}

/** Where a match stands. */
export interface Place {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** The detections of one rule. */
export function detectionsOf(text: string, rule: Rule): Detection[] {
  const found: Detection[] = []
  for (const match of text.matchAll(rule.pattern)) {
    const value = match[1] ?? match[0]
    const start = match.index + match[0].lastIndexOf(value)
    const end = start + value.length
    if (rule.accepts !== undefined && !rule.accepts(value, { text, start, end })) continue
    const kind = rule.kindOf === undefined ? {} : { kind: rule.kindOf(value) }
    found.push({ type: rule.type, start, end, confidence: rule.confidence, ...kind })
  }
  return found
}

/** What stands right before a match, in which its cue words are looked for. */
export function before({ text, start }: Place, characters: number): string {
  return text.slice(Math.max(0, start - characters), start)
}

export function after({ text, end }: Place, characters: number): string {
  return text.slice(end, end + characters)
}
