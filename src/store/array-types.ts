import type { Sql } from 'postgres'

/**
 * PostgreSQL's own array types by the types of their elements. postgres.js asks the server for them on each new
 * connection, and when that query fails nobody catches its rejection, which ends the process. So a pool is opened with
 * `fetch_types: false` and told them here. Source: pg_type.dat of PostgreSQL 18; the numbers never change.
 */
const arrayTypes: ReadonlyMap<number, number> = new Map([
  [16, 1000], // bool
  [17, 1001], // bytea
  [20, 1016], // int8
  [21, 1005], // int2
  [23, 1007], // int4
  [25, 1009], // text
  [114, 199], // json
  [700, 1021], // float4
  [701, 1022], // float8
  [1043, 1015], // varchar
  [1082, 1182], // date
  [1114, 1115], // timestamp
  [1184, 1185], // timestamptz
  [1700, 1231], // numeric
  [2950, 2951], // uuid
  [3802, 3807], // jsonb
])

type Convert = (value: string) => unknown

/** Lets a pool take and give arrays of the usual types, of one dimension or several. */
export function registerArrayTypes(sql: Sql): void {
  const { parsers, serializers } = sql.options
  for (const [element, array] of arrayTypes) {
    const parse = parsers[element]
    const serialize = serializers[element]
    parsers[array] = (text: string) => parseArray(text, parse)
    serializers[array] = (value: unknown) => (Array.isArray(value) ? serializeArray(value, serialize) : value)
  }
}

/** The text form of an array; `null` and `undefined` elements are NULL. */
export function serializeArray(values: readonly unknown[], serialize?: (value: unknown) => unknown): string {
  const elements = values.map((value) => {
    if (value === null || value === undefined) return 'NULL'
    if (Array.isArray(value)) return serializeArray(value, serialize)
    const text = String(serialize === undefined ? value : serialize(value))
    return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
  })
  return `{${elements.join(',')}}`
}

/** Reads the text form of an array, as PostgreSQL writes it. */
export function parseArray(text: string, parse: Convert = (value) => value): unknown[] {
  const stack: unknown[][] = [[]]
  const tokens = /[{}]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs
  for (const [token, quoted] of text.matchAll(tokens)) {
    const top = stack.at(-1) ?? []
    if (token === '{') {
      const inner: unknown[] = []
      top.push(inner)
      stack.push(inner)
    } else if (token === '}') {
      stack.pop()
    } else if (quoted !== undefined) {
      top.push(parse(quoted.replaceAll(/\\(.)/gs, '$1')))
    } else {
      top.push(token === 'NULL' ? null : parse(token))
    }
  }
  const [array] = stack[0] ?? []
  return Array.isArray(array) ? array : []
}
