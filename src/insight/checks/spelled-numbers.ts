/** A number that is written with words, as "twenty-five", or with a digit and a word, as "2 million". */
export interface SpelledNumber {
  readonly text: string
  readonly start: number
  readonly end: number
  /** What it may stand for: one of these, all numbers of it. */
  readonly readings: readonly (readonly number[])[]
  /** Names a magnitude only ("hundreds", "a few thousand"): any number from there on will do. */
  readonly isVague: boolean
}

const small = new Map(
  `one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen`
    .split(' ')
    .map((word, at) => [word, at + 1]),
)
const tens = new Map(
  'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, at) => [word, (at + 2) * 10]),
)
const scales = new Map([
  ['dozen', 12],
  ['hundred', 100],
  ['thousand', 1e3],
  ['million', 1e6],
  ['billion', 1e9],
  ['trillion', 1e12],
])
const magnitudes = new Map([['tens', 10], ...[...scales].map(([word, value]) => [`${word}s`, value] as const)])
const vagueBefore = new Set(['few', 'several', 'many', 'some', 'couple'])
const ordinals = new Map(
  'first second third fourth fifth sixth seventh eighth ninth'.split(' ').map((word, at) => [word, at + 1]),
)
/** What half of one is in the next smaller unit, where that is sure. */
const halves = new Map<string, readonly number[]>([
  ['second', [500]],
  ['minute', [30]],
  ['hour', [30]],
  ['year', [6]],
  ['gigabyte', [500, 512]],
  ['megabyte', [500, 512]],
  ['percent', []],
])
/** "One" counts nothing beside these. */
const oneAfter = new Set('no this that the any some every each which another other only'.split(' '))
const oneBefore = new Set(
  'of another is was are were can could should would will may might must has had that who which in on at for with by i we you'.split(
    ' ',
  ),
)
const oneJoined = new Set('second minute hour day week month year'.split(' '))

const token =
  /(?<![\p{L}\p{M}\p{N}_]|\d[.,:/–—-])(?:[a-z]+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\p{L}\p{M}\p{N}_])/giu

interface Word {
  readonly word: string
  readonly start: number
  readonly end: number
  /** What stands between it and the word before. */
  readonly gap: 'blank' | 'hyphen' | 'other'
}

interface Found {
  readonly value: number
  /** The place of the word behind it. */
  readonly next: number
}

/** English numbers in words, the longest that each place allows. "One" by itself is one only where it counts something. */
export function spelledNumbers(text: string): SpelledNumber[] {
  const words = wordsOf(text)
  const found: SpelledNumber[] = []
  for (let at = 0; at < words.length;) {
    const one = halfAt(words, at) ?? magnitudeAt(words, at) ?? numberAt(words, at)
    const [first, last] = [words[at], words[(one?.next ?? 0) - 1]]
    if (one !== undefined && first !== undefined && last !== undefined) {
      const { readings, isVague = false } = one
      const [start, end] = [first.start, last.end]
      found.push({ text: text.slice(start, end).toLowerCase(), start, end, readings, isVague })
    }
    at = one?.next ?? at + 1
  }
  return found
}

function wordsOf(text: string): Word[] {
  let end = 0
  return [...text.matchAll(token)].map((match) => {
    const between = text.slice(end, match.index)
    end = match.index + match[0].length
    const gap = /^\s+$/u.test(between) ? 'blank' : /^[-‐‑]$/u.test(between) ? 'hyphen' : 'other'
    return { word: match[0].toLowerCase(), start: match.index, end, gap }
  })
}

type Read = { readonly next: number; readonly readings: SpelledNumber['readings']; readonly isVague?: boolean }

/** "Half an hour", "half a million". */
function halfAt(words: readonly Word[], at: number): Read | undefined {
  if (words[at]?.word !== 'half' || !/^an?$/u.test(words[at + 1]?.word ?? '')) return undefined
  const of = words[at + 2]?.word ?? ''
  const scale = scales.get(of)
  const smaller = halves.get(of)
  if (scale !== undefined) return { next: at + 3, readings: [[scale / 2]] }
  return smaller && { next: at + 3, readings: [[0.5], ...smaller.map((value) => [value])] }
}

/** "Hundreds", and "hundred" of "a few hundred". */
function magnitudeAt(words: readonly Word[], at: number): Read | undefined {
  const { word = '', gap } = words[at] ?? {}
  const before = words[at - 1]?.word === 'of' ? words[at - 2]?.word : words[at - 1]?.word
  const isFew = vagueBefore.has(before ?? '') && gap === 'blank'
  const value = magnitudes.get(word) ?? (isFew ? scales.get(word) : undefined)
  return value === undefined ? undefined : { next: at + 1, readings: [[value]], isVague: true }
}

function numberAt(words: readonly Word[], at: number): Read | undefined {
  const { word = '' } = words[at] ?? {}
  const scale = scales.get(word)
  // Of "million-dollar" nobody says how many.
  if (scale !== undefined) return { next: at + 1, readings: [[scale]], isVague: true }
  const found = wholeAt(words, at)
  if (found === undefined) return undefined
  const { value, next } = found
  if (next === at + 1 && (/^\d/u.test(word) || (word === 'one' && !isCounted(words, at)))) return undefined
  const decimals = decimalsAt(words, next)
  if (decimals !== undefined) return { next: decimals.next, readings: [[Number(`${value}.${decimals.digits}`)]] }
  const behind = words[next]
  const ordinal = value % 10 === 0 && behind?.gap === 'hyphen' ? ordinals.get(behind.word) : undefined
  // The sixty-second one, or what takes sixty seconds.
  if (ordinal !== undefined)
    return { next: next + 1, readings: [[value + ordinal], ...(ordinal === 2 ? [[value]] : [])] }
  // Nineteen ninety-nine.
  const second = value >= 10 && value < 100 && behind?.gap !== 'other' ? belowHundredAt(words, next) : undefined
  if (second === undefined || second.value < 10 || scales.has(words[second.next]?.word ?? ''))
    return { next, readings: [[value]] }
  return { next: second.next, readings: [[value * 100 + second.value], [value, second.value]] }
}

/** Whether "one" is followed by what there is one of. */
function isCounted(words: readonly Word[], at: number): boolean {
  const behind = words[at + 1]
  if (behind === undefined || oneAfter.has(words[at - 1]?.word ?? '')) return false
  return behind.gap === 'hyphen' ? oneJoined.has(behind.word) : behind.gap === 'blank' && !oneBefore.has(behind.word)
}

/** "Two hundred and five thousand", "a million", "2 million", "two and a half". */
function wholeAt(words: readonly Word[], at: number): Found | undefined {
  let total: number | undefined
  let next = at
  let scaleMax = Infinity
  for (;;) {
    const from = total !== undefined && words[next]?.word === 'and' ? next + 1 : next
    const group = isJoined(words, from, at) ? groupAt(words, from, total === undefined) : undefined
    if (group === undefined || group.value >= scaleMax) break
    const scale = isJoined(words, group.next, at) ? scales.get(words[group.next]?.word ?? '') : undefined
    if (scale !== undefined && scale >= scaleMax) break
    if (scale === undefined && /^an?$/u.test(words[from]?.word ?? '')) break
    total = (total ?? 0) + group.value * (scale ?? 1)
    next = group.next + (scale === undefined ? 0 : 1)
    if (scale === undefined || scale < 1e3) break
    scaleMax = scale
  }
  return total === undefined ? undefined : { value: total, next }
}

function isJoined(words: readonly Word[], at: number, first: number): boolean {
  return at === first || (words[at] !== undefined && words[at].gap !== 'other')
}

/** What stands before a thousand or a million: up to 999, where it is the first also digits and an article. */
function groupAt(words: readonly Word[], at: number, isFirst: boolean): Found | undefined {
  const { word = '' } = words[at] ?? {}
  if (isFirst && /^\d/u.test(word)) return { value: Number(word.replaceAll(',', '')), next: at + 1 }
  const head = isFirst && word === 'a' ? { value: 1, next: at + 1 } : belowHundredAt(words, at)
  if (head === undefined) return undefined
  const { next } = head
  if (['and', 'a', 'half'].every((part, place) => words[next + place]?.word === part))
    return { value: head.value + 0.5, next: next + 3 }
  if (words[next]?.word !== 'hundred' || words[next].gap === 'other') return head
  const hundreds = { value: head.value * 100, next: next + 1 }
  const from = words[hundreds.next]?.word === 'and' ? hundreds.next + 1 : hundreds.next
  const rest = isJoined(words, from, at) ? belowHundredAt(words, from) : undefined
  return rest === undefined ? hundreds : { value: hundreds.value + rest.value, next: rest.next }
}

function belowHundredAt(words: readonly Word[], at: number): Found | undefined {
  const word = words[at]?.word ?? ''
  const ten = tens.get(word)
  const value = ten ?? small.get(word)
  if (value === undefined) return undefined
  const behind = words[at + 1]
  const unit = ten !== undefined && behind !== undefined && behind.gap !== 'other' ? small.get(behind.word) : undefined
  return unit === undefined || unit > 9 ? { value, next: at + 1 } : { value: value + unit, next: at + 2 }
}

/** "Point five". */
function decimalsAt(
  words: readonly Word[],
  at: number,
): { readonly digits: string; readonly next: number } | undefined {
  if (words[at]?.word !== 'point' || words[at].gap !== 'blank') return undefined
  let digits = ''
  let next = at + 1
  for (; words[next]?.gap === 'blank'; next++) {
    const value = words[next]?.word === 'zero' ? 0 : small.get(words[next]?.word ?? '')
    if (value === undefined || value > 9) break
    digits += String(value)
  }
  return digits === '' ? undefined : { digits, next }
}
