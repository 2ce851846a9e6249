import { describe, expect, it } from 'vitest'

import { assertedOf } from '../../src/insight/learning/meant/asserted.ts'
import { placeOf } from '../../src/insight/learning/meant/own-quotation.ts'
import { ownTextOf, ownWords } from '../../src/insight/learning/meant/own-sentences.ts'
import { textOfPayload } from '../../src/model/messages/payload.ts'

const fact = 'the harbour ledger runs on PostgreSQL 17'
const quote = `Now ${fact}`

function assertedIn(content: unknown) {
  const [payload, mediaType] = [Buffer.from(JSON.stringify(content)), 'application/json']
  return assertedOf(textOfPayload(payload, mediaType), { payload, mediaType })
}

const putIn: readonly [string, string][] = [
  ['a quotation', `> ${quote}.`],
  ['a fenced block', `\`\`\`\n${quote}.\n\`\`\``],
  ['a fenced block that nothing ends', `~~~text\n${quote}.`],
  ['an indented block', `    ${quote}.`],
  ['a table', `| ${quote} | yes |`],
  ['tags', `<article>\n${quote}.\n</article>`],
  ['a tag that nothing ends', `<page url="https://example.org">\n${quote}.`],
  ['a line of a terminal', `$ echo ${quote}`],
  ['a section between rules', `---\n${quote}.\n---`],
]

const quoted: readonly [string, string][] = [
  ['straight marks', `The page has "${quote}" on it.`],
  ['straight marks over sentences', `The page has "Hello. ${quote}. Bye." on it.`],
  ['curly marks', `The page has “${quote}” on it.`],
  ['low marks', `The page has „${quote}“ on it.`],
  ['angle marks', `The page has «${quote}» on it.`],
  ['reversed angle marks', `The page has »${quote}« on it.`],
  ['corner marks', `The page has 「${quote}」 on it.`],
  ['single marks', `The page has '${quote}' on it.`],
  ['curly single marks', `The page has ‘${quote}’ on it.`],
  ['inline code', `The page has \`${quote}\` on it.`],
  ['marks that nothing closes', `The page has "${quote}.`],
]

const others: readonly [string, string][] = [
  ['a question', `Is it so that ${quote}?`],
  ['a supposition', `I would be glad as ${quote}.`],
  ['a report', `Bob said that ${quote}.`],
  ['something taken back', `${quote}, I think.`],
]

describe('placeOf()', () => {
  it.each([...putIn, ...quoted, ...others])('finds nothing in %s', (_, content) => {
    expect(placeOf(quote, assertedIn(`My own words.\n\n${content}`))).toBeUndefined()
  })

  it.each(putIn.filter(([, content]) => !/<page|~~~/u.test(content)))(
    'finds what somebody says themselves behind %s',
    (_, content) => {
      const asserted = assertedIn(`${content}\n\n${quote}, don't change that.`)
      const place = placeOf(quote, asserted)
      expect(place?.start).toBe(asserted.text.lastIndexOf(quote))
      expect(asserted.text.slice(place?.start, place?.end)).toBe(quote)
      expect(ownTextOf(asserted)).toBe(`${quote}, don't change that.`)
    },
  )

  it('takes a sentence with a name in marks, and none that says what others do', () => {
    const named = 'Our ledger "Harbour" runs on `PostgreSQL 17 with all of its extensions`'
    expect(placeOf(named, assertedIn(`${named}.`))).toEqual({ start: 0, end: named.length })
    for (const said of [
      `The sign has "${quote}" on it`,
      `"${quote}"`,
      '"Use tabs"',
      'The sign says "Use tabs"',
      `${quote}" on`,
    ])
      expect(placeOf(said, assertedIn(`${said.startsWith('Now') ? '"' : ''}${said} it.`))).toBeUndefined()
  })

  it('takes what is told before a question, and not the question', () => {
    const asserted = assertedIn('I live in Porto, can you find me a bakery there?')
    expect(placeOf('I live in Porto', asserted)).toEqual({ start: 0, end: 15 })
    expect(placeOf('can you find me a bakery', asserted)).toBeUndefined()
  })

  it('takes nothing over the parts of a message', () => {
    const asserted = assertedIn([
      { type: 'text', text: 'We run on' },
      { type: 'tool_result', content: 'MySQL' },
      { type: 'text', text: 'PostgreSQL 17' },
    ])
    expect(placeOf('PostgreSQL 17', asserted)).toBeDefined()
    expect(placeOf('We run on\n\nPostgreSQL 17', asserted)).toBeUndefined()
    expect(ownTextOf(asserted)).not.toContain('MySQL')
  })
})

describe('ownWords()', () => {
  it('leaves all places what they are', () => {
    const asserted = assertedIn(`Mine.\n\n${putIn.map(([, content]) => content).join('\n\nMine too.\n\n')}`)
    const words = ownWords(asserted)
    expect(asserted.text.length).toBeGreaterThanOrEqual(words.length)
    expect(words).toMatch(/Mine\.[\s\S]*Mine too\./)
    for (const { 0: line, index } of words.matchAll(/.+/gu)) expect(asserted.text.startsWith(line, index)).toBe(true)
    expect(words).not.toContain('PostgreSQL')
  })
})
