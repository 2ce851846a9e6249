import { jsonContainer, skipJsonSpace } from './json-spans.ts'

/**
 * One JSON document, or several one after the other, as `verbatim export` writes several sessions; what is none at the end by itself. Each with
 * the white space after it, so that it has the same bytes, and the name that these give, where another one follows some day.
 */
export function* jsonDocuments(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0
  while (start < bytes.length) {
    const document = jsonContainer(bytes, start)
    const end = document?.complete === true ? skipJsonSpace(bytes, document.end) : bytes.length
    yield bytes.subarray(start, end)
    start = end
  }
}
