import { describe, expect, it } from 'vitest'

import { listedDecisions } from '../../src/insight/extracts/cues/listed-decisions.ts'
import { splitSentences } from '../../src/insight/extracts/sentences.ts'
import { extractFacts } from '../../src/insight/learning/extract-facts.ts'
import { assertedOf } from '../../src/insight/learning/meant/asserted.ts'
import type { Role } from '../../src/model/messages/message.ts'

function listed(text: string, charactersMax = 600): string[] {
  const found = listedDecisions(text, { spans: splitSentences(text), charactersMax })
  return found.map(({ start, end }) => text.slice(start, end))
}

describe('listedDecisions()', () => {
  it.each([
    '## Decisions',
    '# 3. Key decisions made',
    '**Decisions**',
    '**Decisions:**',
    'Decisions so far:',
    '## Decided',
    '## What we decided',
    '### Entscheidungen',
    '## Beschlüsse',
    '## Décisions',
    '## Принятые решения',
    '## 决定',
  ])('takes the items of a list under %s', (title) => {
    expect(listed(`The meeting was short.\n\n${title}\n\n- PostgreSQL for the ledger\n- Ship on Fridays\n`)).toEqual([
      'PostgreSQL for the ledger',
      'Ship on Fridays',
    ])
  })

  it.each([
    '## Open decisions',
    '## Decisions to make',
    '## Decision criteria',
    '## Pending decisions',
    '## Decision-making process',
    '## Next steps',
    'We talked about decisions. There are three:',
  ])('takes none under %s', (title) => {
    expect(listed(`${title}\n\n- PostgreSQL for the ledger\n- Ship on Fridays\n`)).toEqual([])
  })

  it('ends with the next heading, and with prose behind the list', () => {
    const text = '## Decisions\n\nOf today:\n\n1. Ship on Fridays\n\n### Next steps\n\n- Tell Bob\n'
    expect(listed(text)).toEqual(['Ship on Fridays'])
    expect(listed('Decisions:\n- Ship on Fridays\n**Next:**\n- Tell Bob')).toEqual(['Ship on Fridays'])
    expect(listed('Decisions:\n- Ship on Fridays\n\nWhat is left to do is this.\n- Tell Bob')).toEqual([
      'Ship on Fridays',
    ])
  })

  it('takes an item with the lines that it goes on in, and not what stands under it', () => {
    const text = [
      '- Notes of Monday',
      '- **Decisions:**',
      '  - The ledger is kept in PostgreSQL, as two',
      '    services write to it',
      '    - Bob has used it before',
      '  - Storage:',
      '    - Not decided here',
      '  - Ship on Fridays',
      '- Tell Bob',
    ].join('\n')
    expect(listed(text)).toEqual([
      'The ledger is kept in PostgreSQL, as two\n    services write to it',
      'Ship on Fridays',
    ])
  })

  it('leaves out what is asked, open or to be filled in', () => {
    const items = [
      'Which database?',
      'Logging: TBD',
      'Maybe Redis for sessions',
      'None yet',
      'N/A',
      '[ ] Ask Bob',
      '~~MySQL for the ledger~~',
      '[name of the database] for the ledger',
      'Die Farbe ist noch offen',
      'No framework: the pages are plain HTML',
    ]
    expect(listed(`## Decisions\n${items.map((item) => `- ${item}`).join('\n')}`)).toEqual([items.at(-1)])
  })

  it('takes of a long item the sentences that have room, and at least the first', () => {
    const first = `The ledger is kept in ${'the old and well known '.repeat(20)}PostgreSQL.`
    const rest = 'It was there before. Two services write to it.'
    expect(first.length).toBeGreaterThan(400)
    expect(listed(`## Decisions\n- ${first} ${rest}`, 40)).toEqual([first])
    expect(listed(`## Decisions\n- ${first} ${rest}`, first.length + 25)).toEqual([`${first} It was there before.`])
    expect(listed(`## Decisions\n- ${first} ${rest}`)).toEqual([`${first} ${rest}`])
    expect(listed(`## Decisions\n- ${'word '.repeat(200)}`)).toEqual([])
  })
})

describe('extractFacts() of a list of decisions', () => {
  function told(text: string, role: Role = 'user'): string[] {
    const payload = Buffer.from(JSON.stringify(text))
    const asserted = assertedOf(text, { payload, mediaType: 'application/json' })
    const timestamp = '2026-03-01T00:00:00.000Z'
    return extractFacts({ id: 'm', seq: 1, role, sender: 'Ada', timestamp, asserted }).map((fact) => {
      const [{ start, end } = { start: 0, end: 0 }] = fact.spans
      expect(text.slice(start, end).replaceAll(/\s+/gu, ' ')).toBe(fact.text)
      return `${fact.kind}: ${fact.text}`
    })
  }

  const notes =
    '# Monday\n\n## Decisions\n- PostgreSQL for the ledger.\n- We agreed to ship on Fridays.\n\n## Next\n- Tell Bob'

  it.each(['user', 'assistant'] as const)('takes each once, also of notes with headings, of the %s', (role) => {
    expect(told(notes, role).toSorted()).toEqual([
      'decision: PostgreSQL for the ledger',
      'decision: We agreed to ship on Fridays',
    ])
  })

  it.each([
    `Translate these notes.\n\n${notes}`,
    `You are a clerk.\n\n${notes}`,
    notes.replaceAll(/^/gmu, '> '),
    `<notes>\n${notes}\n</notes>`,
    `\`\`\`\n${notes}\n\`\`\``,
    '## Decisions\n- This one\n- Use that from now on\n- Next week we pause',
  ])('takes none of %j', (text) => {
    expect(told(text)).toEqual([])
  })
})
