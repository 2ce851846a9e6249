import { codeAmong } from './lines/code-lines.ts'

/** A sentence of a text, as UTF-16 offsets: [start, end), without the white space around it. */
export interface SentenceSpan {
  readonly start: number
  readonly end: number
  /** `item` is one entry of a list, `code` a block of code or output as a whole, with a fence or without. */
  readonly kind: 'prose' | 'item' | 'code'
}

/** Lines joined to one piece of prose before it is segmented: the cost of `Intl.Segmenter` grows with the square of its input. */
const pieceCharactersMax = 4_000

const fence = /^\s{0,3}(?:```[^`]*$|~~~)/u
/** One that is opened behind what is said, and one that is closed behind code. */
const fenceBehind = /^(?<said>[^`]*(?:`[^`]+`[^`]*)*[^`\s])\s*```[\w+#.-]*\s*$/u
const closedBehind = /```\s*$/u
const listItem = /^\s*(?:[-*+•‣]|\d{1,3}[.)]|\[[ xX]\])\s+/u
const heading = /^\s{0,3}#{1,6}\s/u
const tableOrRule = /^\s*(?:\||[-=_*]{3,}\s*$)/u
/** `Anna:` or `[10:02] Bob:` at the start of a line: a new speaker never continues the sentence of the one before. */
const speakerTurn = /^\s*(?:\[[^\]\n]{1,40}\]\s*)?[\p{Lu}\p{Lo}][\p{L}\p{N} ._-]{0,30}[:：]\s/u
/** A full stop after one of these ends no sentence. `Intl.Segmenter` breaks there whenever a capital follows. */
const abbreviationEnd =
  /(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|vs|no|nr|fig|inc|ltd|jr|sr|approx|e\.g|i\.e|cf|z\.\s?b|d\.\s?h|bzw|ca|evtl|ggf|bspw|inkl|u\.\s?a|p\.\s?ex|т\.\s?е|т\.\s?к|г|\p{Lu})\.\s*$/iu

interface Line {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * The sentences of a text in order. Lines of prose that follow each other are read as one paragraph (hard-wrapped text keeps
 * its sentences whole); list items, headings and speaker turns stand alone; a fenced block is one span, and so are lines of code without a fence.
 */
export function splitSentences(text: string): SentenceSpan[] {
  const spans: SentenceSpan[] = []
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' })
  let paragraph: SentenceSpan | undefined
  let codeStart: number | undefined
  const flush = (): void => {
    if (paragraph?.kind === 'code') addTrimmed(text, paragraph, spans)
    else if (paragraph !== undefined) addProse(text, paragraph, { spans, segmenter })
    paragraph = undefined
  }
  const lines = [...linesOf(text)]
  const isCode = codeAmong(lines.map((line) => line.text))
  const lastClosing = lines.findLastIndex((line) => closedBehind.test(line.text))
  for (const [at, line] of lines.entries()) {
    const said = codeStart === undefined && at < lastClosing ? fenceBehind.exec(line.text)?.groups?.['said'] : undefined
    if (said !== undefined) {
      if (paragraph?.kind === 'code') flush()
      codeStart = line.start + line.text.lastIndexOf('```')
      paragraph = { start: paragraph?.start ?? line.start, end: codeStart, kind: 'prose' }
      flush()
    } else if (fence.test(line.text) || (codeStart !== undefined && closedBehind.test(line.text))) {
      flush()
      if (codeStart === undefined) codeStart = line.start
      else {
        spans.push({ start: codeStart, end: line.end, kind: 'code' })
        codeStart = undefined
      }
    } else if (codeStart !== undefined) continue
    else if (line.text.trim() === '' || tableOrRule.test(line.text)) flush()
    else if (isCode[at] === true) {
      if (paragraph?.kind !== 'code') flush()
      paragraph = { start: paragraph?.start ?? line.start, end: line.end, kind: 'code' }
    } else if (listItem.test(line.text)) {
      flush()
      addTrimmed(
        text,
        { start: line.start + (listItem.exec(line.text)?.[0].length ?? 0), end: line.end, kind: 'item' },
        spans,
      )
    } else {
      if (paragraph?.kind === 'code') flush()
      const standsAlone = heading.test(line.text) || speakerTurn.test(line.text)
      if (standsAlone || (paragraph !== undefined && line.end - paragraph.start > pieceCharactersMax)) flush()
      paragraph = { start: paragraph?.start ?? line.start, end: line.end, kind: 'prose' }
      if (heading.test(line.text)) flush()
    }
  }
  flush()
  if (codeStart !== undefined) addTrimmed(text, { start: codeStart, end: text.length, kind: 'code' }, spans)
  return spans
}

function* linesOf(text: string): Generator<Line> {
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    yield { start, end, text: text.slice(start, end) }
    start = end + 1
  }
}

interface Output {
  readonly spans: SentenceSpan[]
  readonly segmenter: Intl.Segmenter
}

function addProse(text: string, paragraph: { readonly start: number; readonly end: number }, output: Output): void {
  let from = paragraph.start
  while (from < paragraph.end) {
    const to = Math.min(paragraph.end, from + pieceCharactersMax)
    // A line break ends a sentence by the rules of Unicode; a space of the same length does not.
    const piece = text.slice(from, to).replace(/[\r\n\u{2028}\u{2029}]/gu, ' ')
    let start = from
    for (const { index, segment } of output.segmenter.segment(piece)) {
      const end = from + index + segment.length
      if (end === to || abbreviationEnd.test(text.slice(Math.max(start, end - 24), end))) continue
      addTrimmed(text, { start, end, kind: 'prose' }, output.spans)
      start = end
    }
    // The piece may have ended inside its last sentence: that one starts the next piece, unless it alone fills this one.
    const isCut = to < paragraph.end && start > from
    if (!isCut) addTrimmed(text, { start, end: to, kind: 'prose' }, output.spans)
    from = isCut ? start : to
  }
}

function addTrimmed(text: string, span: SentenceSpan, spans: SentenceSpan[]): void {
  const slice = text.slice(span.start, span.end)
  const start = span.start + (slice.length - slice.trimStart().length)
  const end = span.end - (slice.length - slice.trimEnd().length)
  if (start < end) spans.push({ start, end, kind: span.kind })
}
