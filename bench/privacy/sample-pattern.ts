/** A piece of a pattern: a set of characters, or others in a row, in choice or repeated. */
type Node =
  | { readonly kind: 'set'; readonly characters: string }
  | { readonly kind: 'row'; readonly nodes: readonly Node[] }
  | { readonly kind: 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }
  | { readonly kind: 'group'; readonly node: Node; readonly index: number }
  | { readonly kind: 'border' }

const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('')
const digits = '0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz'
const word = `${lower}${lower.toUpperCase()}${digits}_`
const classes: Readonly<Record<string, string>> = {
  d: digits,
  w: word,
  s: ' \t\n',
  S: printable.replace(' ', ''),
  n: '\n',
  r: '\r',
  t: '\t',
}
/** A repetition without an end ends this much after its least. */
const openEnd = 12

/** Reads the regular expressions of RE2 that secret scanners use, to make texts that they match. */
class PatternReader {
  readonly #source: string
  #at = 0
  #groups = 0

  constructor(source: string) {
    this.#source = source
  }

  read(ignoresCase = false): Node {
    const options: Node[] = []
    let row: Node[] = []
    let ignoring = ignoresCase
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      const flags = /^\(\?(-?)[is]+\)/u.exec(this.#source.slice(this.#at))
      if (flags !== null) {
        this.#at += flags[0].length
        if (flags[0].includes('i')) ignoring = flags[1] !== '-'
      } else if (this.#source[this.#at] === '|') {
        this.#at++
        options.push({ kind: 'row', nodes: row })
        row = []
      } else row.push(this.#repeated(this.#atom(ignoring)))
    }
    options.push({ kind: 'row', nodes: row })
    return options.length === 1 ? { kind: 'row', nodes: row } : { kind: 'choice', nodes: options }
  }

  #repeated(node: Node): Node {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/u.exec(this.#source.slice(this.#at))
    if (found === null) return node
    this.#at += found[0].length
    const [, sign, least, comma, most] = found
    if (sign !== undefined) {
      const min = sign === '+' ? 1 : 0
      return { kind: 'repeat', node, min, max: sign === '?' ? 1 : min + openEnd }
    }
    const min = Number(least)
    if (comma === '') return { kind: 'repeat', node, min, max: min }
    return { kind: 'repeat', node, min, max: most === '' ? min + openEnd : Number(most) }
  }

  #atom(ignoresCase: boolean): Node {
    const character = this.#source[this.#at++] ?? ''
    if (character === '(') return this.#group(ignoresCase)
    if (character === '[') return { kind: 'set', characters: this.#set(ignoresCase) }
    if (character === '\\') {
      const characters = this.#escape()
      return characters === undefined ? { kind: 'border' } : { kind: 'set', characters }
    }
    if (character === '.') return { kind: 'set', characters: printable }
    if (character === '^' || character === '$') return { kind: 'set', characters: '' }
    return { kind: 'set', characters: character }
  }

  #group(ignoresCase: boolean): Node {
    const head = /^\?(?:P<\w+>|(-?)(i|s)?:)/u.exec(this.#source.slice(this.#at))
    this.#at += head?.[0].length ?? 0
    const isCaptured = head === null || head[0].startsWith('?P')
    const index = isCaptured ? ++this.#groups : 0
    const node = this.read(head?.[2] === 'i' ? head[1] !== '-' : ignoresCase)
    this.#at++
    return isCaptured ? { kind: 'group', node, index } : node
  }

  /** The characters of an escape; none for a border of words or the end of the text. */
  #escape(): string | undefined {
    const character = this.#source[this.#at++] ?? ''
    if (character === 'x') {
      this.#at += 2
      return String.fromCharCode(Number.parseInt(this.#source.slice(this.#at - 2, this.#at), 16))
    }
    return character === 'b' ? undefined : character === 'z' ? '' : (classes[character] ?? character)
  }

  #set(ignoresCase: boolean): string {
    const isNegated = this.#source[this.#at] === '^'
    if (isNegated) this.#at++
    let characters = ''
    for (let isFirst = true; isFirst || this.#source[this.#at] !== ']'; isFirst = false) {
      if (this.#source.startsWith('[:alnum:]', this.#at)) {
        this.#at += 9
        characters += word.slice(0, -1)
        continue
      }
      const from = this.#source[this.#at++] ?? ''
      if (from === '\\') characters += this.#escape() ?? ''
      else if (this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']') {
        const to = this.#source[this.#at + 1] ?? ''
        this.#at += 2
        for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) characters += String.fromCharCode(code)
      } else characters += from
    }
    this.#at++
    const all = new Set(ignoresCase ? characters + characters.toLowerCase() + characters.toUpperCase() : characters)
    return (isNegated ? Array.from(printable).filter((one) => !all.has(one)) : [...all]).join('')
  }
}

export interface Sample {
  readonly text: string
  /** Where the secret is: the first captured group that is not empty, or all. */
  readonly start: number
  readonly end: number
}

/**
 * Makes texts that a pattern matches, undefined for one that misses a border of words. `random` gives numbers from 0 to
 * less than 1.
 */
export function samplesOf(pattern: string, random: () => number): () => Sample | undefined {
  const root = new PatternReader(pattern).read()
  return () => {
    let text = ''
    const borders: number[] = []
    let secret: { readonly index: number; readonly start: number; readonly end: number } | undefined
    const pick = (count: number) => Math.floor(random() * count)
    const write = (node: Node): void => {
      if (node.kind === 'border') borders.push(text.length)
      else if (node.kind === 'set') text += node.characters[pick(node.characters.length)] ?? ''
      else if (node.kind === 'row') for (const part of node.nodes) write(part)
      else if (node.kind === 'choice') write(node.nodes[pick(node.nodes.length)] ?? { kind: 'row', nodes: [] })
      else if (node.kind === 'repeat') {
        const count = node.min + pick(node.max - node.min + 1)
        for (let done = 0; done < count; done++) write(node.node)
      } else {
        const start = text.length
        write(node.node)
        const isBetter = secret === undefined || node.index < secret.index
        if (text.length > start && isBetter) secret = { index: node.index, start, end: text.length }
      }
    }
    write(root)
    const isWord = (at: number) => /\w/u.test(text[at] ?? ' ')
    if (!borders.every((at) => isWord(at - 1) !== isWord(at))) return undefined
    return { text, start: secret?.start ?? 0, end: secret?.end ?? text.length }
  }
}
