import { isJsonObject } from '../model/json/json.ts'
import type { TranscriptSample } from './format.ts'
import { jsonContainer } from './json/json-spans.ts'
import { gluedObjects, parseJson, utf8 } from './json/json-value.ts'

const lineFeed = 0x0a
const rowsMax = 50

type Row = Readonly<Record<string, unknown>>

/** Most formats ask for the rows of a file that is detected, and to find that a line is no JSON takes longer than to read one that is. */
const rowsOfSamples = new WeakMap<TranscriptSample, readonly Row[]>()

/** The JSON objects of the first whole lines of a file; lines that are none are passed over. */
export function headRows(sample: TranscriptSample): readonly Row[] {
  const known = rowsOfSamples.get(sample) ?? readHeadRows(sample)
  rowsOfSamples.set(sample, known)
  return known
}

function readHeadRows(sample: TranscriptSample): readonly Row[] {
  const rows: Row[] = []
  for (const line of headLines(sample)) {
    const parsed = parseJson(line)
    const values = parsed.ok ? [parsed.value] : (gluedObjects(line) ?? []).map((glued) => glued.value)
    rows.push(...values.filter(isJsonObject))
    if (rows.length >= rowsMax) break
  }
  return rows
}

/** The whole lines of the head that are not blank. The head's last line counts only where the file ends with it. */
export function headLines(sample: TranscriptSample): readonly Uint8Array[] {
  const lines: Uint8Array[] = []
  const whole = sample.head.length >= sample.sizeBytes
  const head = withoutMark(sample.head)
  let from = 0
  while (from < head.length) {
    const at = head.indexOf(lineFeed, from)
    if (at === -1 && !whole) break
    const line = head.subarray(from, at === -1 ? head.length : at)
    if (utf8(line).trim() !== '') lines.push(line)
    if (at === -1) break
    from = at + 1
  }
  return lines
}

/** A file's outermost shape: an object with these member names, or an array whose first element has them. */
export interface HeadShape {
  readonly kind: 'object' | 'array'
  readonly names: ReadonlySet<string>
}

/** Reads the outermost shape from the head, even where the head ends inside the first value. */
export function headShape(sample: TranscriptSample): HeadShape | undefined {
  const outer = jsonContainer(sample.head)
  if (outer === undefined) return undefined
  const first = outer.children[0]
  const named =
    outer.kind === 'object' ? outer : first === undefined ? undefined : jsonContainer(sample.head, first.start)
  const names = new Set<string>()
  if (named?.kind === 'object') {
    for (const { key } of named.children) if (key !== undefined) names.add(key)
  }
  return { kind: outer.kind, names }
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
