import { scanRuns, type Run } from '../scan.ts'
import { detectLanguage } from './language.ts'
import { tokensOfRun, type Token } from './tokenize.ts'

/** A longer chunk is a path, an address or encoded data, and hardly comes again. */
const rememberedCharactersMax = 64
/** Different chunks that are remembered, of all languages together; from then on each is taken apart anew. */
const rememberedMax = 50_000
const none: readonly Token[] = []

/**
 * Finds some terms in texts, as `tokenize` would: most words of a text are written more than once, there or in the next one, and are
 * taken apart once. It remembers words of the texts: one is for the texts of one reply.
 */
export class TermFinder {
  readonly #wanted: ReadonlySet<string>
  /** By language and by how a chunk is written: the terms of it that are wanted, with offsets into the chunk. */
  readonly #known = new Map<string | null, Map<string, readonly Token[]>>()
  #remembered = 0

  constructor(wanted: ReadonlySet<string>) {
    this.#wanted = wanted
  }

  /** What `tokenize` finds in the text of the terms that are wanted, in its order. */
  find(text: string): Token[] {
    if (this.#wanted.size === 0) return []
    const language = detectLanguage(text)
    const known = this.#known.get(language) ?? new Map<string, readonly Token[]>()
    this.#known.set(language, known)
    const found: Token[] = []
    scanRuns(text, (run) => {
      if (run.kind !== 'chunk' || run.end - run.start > rememberedCharactersMax) {
        found.push(...this.#wantedOf(text, run, language))
        return
      }
      // The letter behind a backslash may be an escape, and the word begins behind it.
      const from = text.charCodeAt(run.start - 1) === 0x5c ? run.start - 1 : run.start
      const written = text.slice(from, run.end)
      const tokens = known.get(written) ?? this.#remember(known, written, this.#inRun(text, run, language))
      for (const { term, start, end, kind } of tokens)
        found.push({ term, start: run.start + start, end: run.start + end, kind })
    })
    return found
  }

  #remember(known: Map<string, readonly Token[]>, written: string, tokens: readonly Token[]): readonly Token[] {
    if (this.#remembered < rememberedMax) {
      known.set(written, tokens)
      this.#remembered += 1
    }
    return tokens
  }

  /** With offsets into the run. */
  #inRun(text: string, run: Run, language: string | null): readonly Token[] {
    const tokens = this.#wantedOf(text, run, language)
    if (tokens.length === 0) return none
    return tokens.map((token) => ({ ...token, start: token.start - run.start, end: token.end - run.start }))
  }

  #wantedOf(text: string, run: Run, language: string | null): readonly Token[] {
    return tokensOfRun(text, run, language).filter(({ term }) => this.#wanted.has(term))
  }
}
