import type { Detection, Detector } from '../detection.ts'

const begin = /-----BEGIN[ A-Z0-9_-]{0,100}?PRIVATE KEY(?: BLOCK)?-----/giu
const next = /-----BEGIN/iu
const ending = /(?:-----END[ A-Z0-9_-]{0,100}?)?KEY(?: BLOCK)?-----/iu
const charactersMax = 20_000

/** So long without a blank: no word. */
const run = /[A-Za-z0-9+/=]{20,}/gu
/** What may stand before the first line: quotes and marks of lines, and what PEM says of a key that is encrypted. */
const cutKey = /^(?:[\s"'`>|]{0,100}[A-Za-z-]{1,40}: [^\n]{0,200}\n){0,5}[\s"'`>|]{0,100}([A-Za-z0-9+/=]{20})/u
const line = /^[A-Za-z0-9+/=]+$/u

/** From so many characters on it is a key of whatever lines, where it is no prose. */
const longBody = 64
const word = /^[("'`]*[A-Za-z]?[a-z]+[)"'`.,:;!?]*$/u

/** A sentence that names both lines. */
function isProse(body: string): boolean {
  const words = body.split(/\s+/u).filter((one) => one !== '')
  return words.filter((one) => word.test(one)).length * 2 >= words.length
}

const isNoWord = (text: string) => /[A-Z\d]/u.test(text)

/** A body between both lines: of any length where it has lines of its own or touches them, so that it is no sentence which names the two. */
function isBody(body: string): boolean {
  if (body.match(run)?.some(isNoWord) === true || (body.length >= longBody && !isProse(body))) return true
  const lines = body.split('\n').map((one) => one.replaceAll(/^[\s"'`>|]+|[\s"'`>|,+]+$/gu, ''))
  const said = lines.filter((one) => one !== '')
  if (said.length === 0 || !said.every((one) => line.test(one)) || !said.some(isNoWord)) return false
  const isApart = /^(?:["'`\s]*\n|[A-Za-z0-9+/=])/u.test(body) && /(?:\n["'`\s>|]*|[A-Za-z0-9+/=])$/u.test(body)
  if (isApart) return true
  const [only = ''] = said
  return said.length === 1 && only.length >= 8 && /[A-Z]/u.test(only) && /[a-z\d]/u.test(only)
}

/** Private keys as PEM, also one whose end was cut off: as nobody knows where that ends, all that follows is taken. */
export const privateKeys: Detector = (text) => {
  const found: Detection[] = []
  for (const { index, 0: header } of text.matchAll(begin)) {
    const start = index + header.length
    const following = text.slice(start, start + charactersMax)
    const rest = following.slice(0, next.exec(following)?.index)
    const ended = ending.exec(rest)
    // As a string of JSON or code has its lines.
    const body = rest.slice(0, ended?.index).replaceAll(/\\+[nr]/gu, '\n')
    const isKey = ended === null ? isNoWord(cutKey.exec(body)?.[1] ?? '') : isBody(body)
    const end = start + (ended === null ? rest.length : ended.index + ended[0].length)
    if (!isKey || text.slice(start, end).includes('EXAMPLE')) continue
    found.push({ type: 'secret', start: index, end, confidence: 0.98, kind: 'private_key' })
  }
  return found
}
