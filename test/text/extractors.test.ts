import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { candidatesOf } from '../../src/insight/extracts/candidates.ts'
import { Condenser } from '../../src/insight/extracts/condense.ts'
import { summarizeExtractive } from '../../src/insight/extracts/extract.ts'
import { extractFacts } from '../../src/insight/learning/extract-facts.ts'
import { assertedOf } from '../../src/insight/learning/meant/asserted.ts'
import { extractsNow, makerOf, patternsNow } from '../../src/model/extractors.ts'
import type { Role } from '../../src/model/messages/message.ts'
import { summaryStyles } from '../../src/model/summary-style.ts'

const said: readonly (readonly [Role, string, string])[] = [
  ['user', 'Ada', 'Hi, my name is Ada Quill and I live in Porto. I work at Harbour Systems, and my dog is called Rex.'],
  ['assistant', 'bot', 'Welcome, Ada! What can I do for you? I could look at the failing build first.'],
  ['user', 'Ada', 'The build fails with `TypeError: berth is undefined` in src/berths/plan.ts:41 since Tuesday.'],
  ['assistant', 'bot', 'Adding `await` before `db.close()` fixed the hanging tests. The TypeError is another matter.'],
  ['user', 'Ada', 'I prefer pnpm over npm, and please always run the linter before a commit. Never push to main.'],
  [
    'user',
    'Ben',
    'We decided to use PostgreSQL for the ledger, as SQLite locked up under eight writers. Is Redis needed?',
  ],
  [
    'assistant',
    'bot',
    'Decisions:\n- Pilots come from the old harbour\n- The crane stays at berth 14\n\nNext steps:\n1. Ask Ben',
  ],
  [
    'user',
    'Ben',
    "Okay, let's go with Redis for sessions. Our production database is on host db-7, not on db-5 any more.",
  ],
  ['user', 'Ada', 'If it rains, I would maybe take the ferry. Someone said "I hate ferries". Do you like them?'],
  [
    'user',
    'Ada',
    'From now on, answer in German. Ich wohne seit März in Lissabon. Wir haben beschlossen, Kafka zu nehmen.',
  ],
  [
    'assistant',
    'bot',
    'I will upgrade node to 22.3 tomorrow and report at 14:00 on 2026-03-04. TODO: the deploy key expires.',
  ],
  [
    'user',
    'Ben',
    'Upgrading node to 22.3 fixed the crash. The release is blocked by the audit of the berth planner until Friday.',
  ],
  [
    'tool',
    'Read',
    '     1→package berths\n     2→\n     3→import (\n     4→\t"context"\n     5→)\n\nThe audit of the berth planner is done now.\n\n1 of 3 files',
  ],
  ['user', 'Ada', 'NODE_ENV=test ./harbour plan > /dev/null  0.01s user 0.00s system 80% cpu 0.01 total'],
]
const messages = said.map(([role, sender, text], at) => ({ id: `m${at}`, seq: at + 1, role, sender, text }))
/** Read for summaries only: what is pasted, repeated, asked and decided. */
const readToo: readonly string[] = [
  'Who signs the plan of berth 14?',
  'kubectl get pods -n harbour\nTypeError: Cannot read properties of undefined\nservices:\n  berth:\n    image: berth:1.2',
  'Please run step 1 of the harbour checklist now.',
  'Please run step 2 of the harbour checklist now.',
  'Ich habe mich für Grafana entschieden. He said that we decided to use Jaeger.',
]

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

/*
 * Where one of these fails as what is chosen was changed on purpose, raise the version in src/model/extractors.ts, so that what is stored is chosen
 * anew, and put the new digest here.
 */
describe('the version of what chooses', () => {
  it('is another where the patterns find other facts', () => {
    const facts = messages.flatMap(({ text, ...message }) =>
      extractFacts({
        ...message,
        timestamp: '2026-03-01T00:00:00.000Z',
        asserted: assertedOf(text, { payload: Buffer.from(JSON.stringify(text)), mediaType: 'application/json' }),
      }),
    )
    expect(facts.length).toBeGreaterThan(10)
    expect({ version: patternsNow, digest: digest(facts) }).toMatchInlineSnapshot(`
      {
        "digest": "8411833d12e66e62",
        "version": "patterns/6",
      }
    `)
  })

  it('is another where other sentences are chosen', async () => {
    const more = readToo.map((text, at) => ({
      id: `r${at}`,
      seq: messages.length + at + 1,
      role: 'user' as const,
      sender: 'Ben',
      text,
    }))
    const turns = [...messages, ...more].map((message) => ({ ...message, language: 'en' }))
    const condenser = new Condenser()
    for (const turn of turns) for (const candidate of candidatesOf(turn)) condenser.add(candidate)
    const chosen: unknown[] = [condenser.sentences()]
    for (const style of summaryStyles) {
      const { sentences } = await summarizeExtractive(turns, { style, maxTokens: 120 })
      expect(sentences.length).toBeGreaterThan(0)
      chosen.push(sentences)
    }
    expect({ version: extractsNow, digest: digest(chosen) }).toMatchInlineSnapshot(`
      {
        "digest": "4a5b8b55799717e9",
        "version": "extractive/6",
      }
    `)
  })

  it('is not told with a fact', () => {
    expect([patternsNow, 'patterns', 'user', 'gemini'].map(makerOf)).toEqual(['patterns', 'patterns', 'user', 'gemini'])
  })
})
