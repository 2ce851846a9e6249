/**
 * A piece of SQL with its values, for statements whose text differs from call to call: postgres.js keeps a prepared
 * statement for every text of its own templates, which the engine then holds until the connection ends.
 */
export class SqlText {
  readonly #strings: readonly string[]
  readonly #values: readonly unknown[]

  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.#strings = strings
    this.#values = values
  }

  /** The text with `$1`, `$2` … for the values, which are given in that order. Pieces inside pieces are written out. */
  toStatement(): { readonly text: string; readonly values: (string | number | null)[] } {
    const values: (string | number | null)[] = []
    const write = (piece: SqlText): string =>
      piece.#strings
        .map((string, index) => {
          if (index >= piece.#values.length) return string
          const value = piece.#values[index]
          if (value instanceof SqlText) return string + write(value)
          values.push(typeof value === 'string' || typeof value === 'number' ? value : null)
          return `${string}$${values.length}`
        })
        .join('')
    return { text: write(this), values }
  }
}

/** A value is a parameter; another piece of SQL becomes part of the text. */
export function text(strings: TemplateStringsArray, ...values: readonly (string | number | null | SqlText)[]): SqlText {
  return new SqlText(strings, values)
}

/** Pieces one after the other, with another piece between them. */
export function joined(pieces: readonly SqlText[], between: SqlText): SqlText {
  return pieces.reduce((all, piece, index) => (index === 0 ? piece : text`${all}${between}${piece}`), text``)
}

/** A whole number as part of the text, where PostgreSQL takes no parameter: the length of a type, `bit(384)`. */
export function wholeNumber(value: number): SqlText {
  if (!Number.isSafeInteger(value)) throw new TypeError('Cannot write a number into SQL as it must be whole')
  return new SqlText([String(value)], [])
}

/** The name of a table, a column or a type, as the catalog gives it. */
export function identifier(name: string): SqlText {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) throw new TypeError('Cannot write a name into SQL that is not one of our own')
  return new SqlText([`"${name}"`], [])
}
