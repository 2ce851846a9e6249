import { setImmediate } from 'node:timers/promises'

import type { DataType, Detection } from '../detection.ts'

const tags: readonly { readonly tag: string; readonly type: DataType; readonly confidence: number }[] = [
  { tag: 'Person', type: 'person', confidence: 0.55 },
  { tag: 'Place', type: 'place', confidence: 0.5 },
  { tag: 'Organization', type: 'organization', confidence: 0.4 },
]
/** The tagger is slow: beyond this, names are found by titles, phrases and repetition only. */
const taggedCharactersMax = 200_000
/** Other work of the process gets its turn after so many lines. */
const linesAtOnce = 20
/** The tagger reads whole sentences; a longer line is no prose. */
const lineCharactersMax = 4_000
/** A capital and small letters: a line without such a word names nobody that the tagger would find. */
const mayName = /(?<![\p{L}\p{N}_./\\])\p{Lu}\p{Ll}+/u
/** Lines of code, logs and data. */
const isCode =
  /[{};]\s*$|^\s*(?:\/\/|#include|import |export |const |let |var |function |class |def |return |@\w)|=>|::|<\/?\w+[ >]|\w\(\)/u

interface Word {
  readonly text: string
  readonly start: number
  readonly type: DataType | undefined
  readonly confidence: number
  /** Whether something other than a space or a hyphen stands between it and the next word. */
  readonly isLast: boolean
}

/**
 * People, places and organizations as the tagger of compromise sees them in English prose, line by line. It reads some
 * 50 KB a second, so lines of code and lines without a name's letters are left out.
 */
export async function taggedNames(text: string): Promise<Detection[]> {
  const { default: nlp } = await import('compromise')
  const found: Detection[] = []
  let lines = 0
  for (const { 0: line, index } of text.slice(0, taggedCharactersMax).matchAll(/[^\n]+/gu)) {
    if (line.length > lineCharactersMax || !mayName.test(line) || isCode.test(line)) continue
    if (++lines % linesAtOnce === 0) await setImmediate()
    found.push(...joined(text, wordsOf(nlp(line).document, index)))
  }
  return found
}

interface Term {
  readonly pre: string
  readonly text: string
  readonly post: string
  readonly tags?: ReadonlySet<string> | undefined
}

/** The words of a line with their places: the tagger keeps every character in one of three parts of a word. */
function wordsOf(sentences: readonly (readonly Term[])[], from: number): Word[] {
  let at = from
  return sentences.flat().map((term) => {
    const start = at + term.pre.length
    at = start + term.text.length + term.post.length
    const kind = tags.find(({ tag }) => term.tags?.has(tag) === true && !term.tags.has('Pronoun'))
    return {
      text: term.text,
      start,
      type: kind?.type,
      confidence: kind?.confidence ?? 0,
      isLast: !/^(?: |-|\. )?$/u.test(term.post),
    }
  })
}

/** Neighbouring words of one kind as one detection. A kind without a capital is a word, like "president". */
function joined(text: string, words: readonly Word[]): Detection[] {
  const found: Detection[] = []
  let open: Detection | undefined
  const close = () => {
    if (open !== undefined && /\p{Lu}/u.test(text.slice(open.start, open.end))) found.push(open)
    open = undefined
  }
  for (const word of words) {
    if (word.type !== open?.type) close()
    if (word.type !== undefined) {
      const end = word.start + word.text.length
      open =
        open === undefined ? { type: word.type, start: word.start, end, confidence: word.confidence } : { ...open, end }
    }
    if (word.isLast) close()
  }
  close()
  return found
}
