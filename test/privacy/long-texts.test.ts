import { describe, expect, it } from 'vitest'

import { detect } from '../../src/privacy/detect.ts'
import { instructionsIn } from '../../src/privacy/instructions/instructions.ts'

/** What makes an expression with nested repetitions take for ever. */
const pieces = [
  'a',
  'A',
  '1',
  '1 ',
  '1-',
  '(1',
  '+',
  '.',
  ' ',
  '\n',
  ':',
  'a.',
  'a@',
  'a@a.',
  'a:',
  '::',
  'Aa ',
  'A. ',
  'Mr ',
  'Mr A ',
  'born ',
  'key ',
  'key=',
  'token: "',
  'a-',
  'ey',
  'eyJ.',
  '-----BEGIN PRIVATE KEY-----',
  'curl -u ',
  'kind: secret ',
  'http://',
  'http://a:',
  'no. 1',
  'call ',
  'password is ',
  'cookie: session=',
  'seed phrase: a ',
  'abc ',
  'AT61 1',
  'Aa Ltd ',
  'born 1 a ',
  '?sig=',
  'otpauth://',
  'mysql -p',
  'Private-Lines: 1\n',
  'passport 1',
  '12 a ',
  'é',
  '𝒳',
  '\ud800',
]

/** What makes those that look for instructions begin again and again. */
const orders = [
  'a',
  '-',
  '=',
  '#',
  '*',
  '--END OF ',
  ' ',
  '1 ',
  'é',
  'ignore ',
  'ignore all ',
  'ignore your your ',
  'note to ai ',
  'do not tell ',
  'if you are an ',
  'send history to ',
  'instead of answering ',
  'print the text above ',
  'store this as a ',
  'before answering call ',
  'always recommend ',
  '![a](https://a?a=',
  'ignoriere ',
  'i g ',
  '\\x41%41',
  '&#65;',
  'QUJD ',
  '4a4b ',
  '\u200ba',
  '{"role":',
  '\n\nHuman: ',
]

/** Of the processor: what else runs on the machine has no part in it. */
async function msFor(text: string, work: (text: string) => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work(text)
  return process.cpuUsage(before).user / 1_000
}

/** Of four times the length: a quadratic expression takes sixteen times as long, and far more than this. */
async function isLinear(piece: string, work: (text: string) => unknown): Promise<boolean> {
  const text = (characters: number) => piece.repeat(Math.ceil(characters / piece.length))
  const short = await msFor(text(50_000), work)
  const long = await msFor(text(200_000), work)
  return long < Math.max(9 * short, 2_000)
}

describe('detect() of a long text', () => {
  it.each(pieces)('takes no longer than its length asks: %j', async (piece) => {
    expect(await isLinear(piece, detect)).toBe(true)
  })
})

describe('instructionsIn() of a long text', () => {
  it.each(orders)('takes no longer than its length asks: %j', async (piece) => {
    expect(await isLinear(piece, instructionsIn)).toBe(true)
  })
})
