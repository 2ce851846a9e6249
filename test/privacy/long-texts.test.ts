import { describe, expect, it } from 'vitest'

import { detect } from '../../src/privacy/detect.ts'

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
  '12 a ',
  'é',
  '𝒳',
  '\ud800',
]

async function msFor(text: string): Promise<number> {
  const startedAt = performance.now()
  await detect(text)
  return performance.now() - startedAt
}

describe('detect() of a long text', () => {
  it.each(pieces)('takes no longer than its length asks: %j', async (piece) => {
    const text = (characters: number) => piece.repeat(Math.ceil(characters / piece.length))
    const short = await msFor(text(50_000))
    const long = await msFor(text(200_000))
    // Four times the length; a quadratic expression takes sixteen times as long, and far more than this.
    expect(long).toBeLessThan(Math.max(9 * short, 2_000))
  })
})
