import { describe, expect, it } from 'vitest'

import { summarizeExtractive } from '../../src/insight/extracts/extract.ts'
import { splitSentences } from '../../src/insight/extracts/sentences.ts'
import { ownSentences } from '../../src/insight/learning/meant/own-sentences.ts'

/** Code that stands without a fence, as it is pasted. */
const pasted = {
  javascript: `import { open } from './store.ts'
const store = await open({ path: 'ledger.db' });
if (store.isLocked) {
  throw new Error('The store is held by another process');
}`,
  python: `def total(rows):
    # Sum the amounts of all rows
    result = sum(row.amount for row in rows)
    if result == 0:
        return None
    return result`,
  'a stack trace of JavaScript': `    at Ledger.open (/srv/app/src/ledger.ts:41:13)
    at async main (/srv/app/src/main.ts:7:3)
    at node:internal/main/run_main_module:23:47`,
  'a stack trace of Python': `Traceback (most recent call last):
  File "/srv/app/ledger.py", line 41, in open
    raise Locked(path)`,
  'a stack trace of Java': `    at com.example.Ledger.open(Ledger.java:41)
    at com.example.Main.main(Main.java:7)
    ... 12 more`,
  'a shell': `$ npm run build -- --watch
ada@harbour:~/ledger$ git push origin main
PS C:\\ledger> npm ci`,
  json: `{
  "name": "ledger",
  "private": true,
  "scripts": { "test": "vitest run" },
  "files": [
    "dist"
  ]
}`,
  'json in one line': '{"level":"error","msg":"The pool is exhausted","pool":{"size":10}}',
  logs: `2026-03-01T10:00:00.123Z ERROR [pool] The pool of the database is exhausted
[2026-03-01 10:00:01] WARN  retrying the connection in 5 s
10:00:02.500 INFO  connected to the database
Mar  1 10:00:03 harbour sshd[812]: Accepted publickey for ada
npm ERR! code ELIFECYCLE`,
  sql: `SELECT id, amount FROM ledger WHERE amount > 0 ORDER BY id
CREATE TABLE ledger (id integer primary key);`,
  html: `<div class="berth">
  <p>Berth 14</p>
</div>`,
  'a change of a file': `diff --git a/src/ledger.ts b/src/ledger.ts
@@ -1,4 +1,4 @@`,
  go: `package ledger

import (
	"context"
	"strings"
)`.replaceAll('\n\n', '\n'),
  'lines with their numbers': `     1→The ledger is opened here
     2→
    13→and closed there`,
  'a comment of several lines': `/**
 * Opens the ledger, as its settings say.
 * Closes it when all is read.
 */`,
  'a command and its time': `LEDGER_OPTOUT=1 CI=1 ./ledger help > /dev/null
NODE_ENV=test npm test
./ledger help  0.01s user 0.00s system 80% cpu 0.014 total`,
  'what a linter prints': `[lint] $ golangci-lint run .
cmd/ledger/main.go:27:5: Errors of the ledger are not handled (gosec)`,
  settings: `DATABASE_URL=postgres://harbour/ledger
VERBATIM_HOME=/srv/verbatim`,
}

const kindsOf = (text: string) =>
  splitSentences(text).map(({ start, end, kind }) => [kind === 'code' ? 'code' : 'said', text.slice(start, end)])

describe('splitSentences() of code without a fence', () => {
  it.each(Object.entries(pasted))('takes %s as a whole, between what is said', (_, code) => {
    const [before, behind] = ['The import fails each night.', 'Can you see why that is?']
    expect(kindsOf(`${before}\n\n${code}\n\n${behind}`)).toEqual([
      ['said', before],
      ['code', code.trim()],
      ['said', behind],
    ])
    expect(kindsOf(`${before}\n${code}\n${behind}`)).toEqual([
      ['said', before],
      ['code', code.trim()],
      ['said', behind],
    ])
  })

  it.each([
    'We came to the harbour; we saw the crane; and we left;',
    'If you want this:',
    'The cost of item(s) is known for the time being;',
    'Set `retries = 3;` in the settings, and run `npm test`;',
    'Note: the berth is closed until Friday.',
    '[2026-03-01 10:02] Bob: the berth is closed, and nobody told me.',
    'From the store we import nothing.',
    'Return the keys to Ada before you leave the harbour.',
    'For each berth in the list (see below):',
    '    This quotation is indented, and it is prose all the same.',
    'Price = cost plus the margin that we agreed on.',
    'I paid $ 50 for the berth, at noon (it was cheap)',
    '会议改到星期五（地点：三楼）；',
    'Дальше нужно проверить сервер;',
    'Select the berth from the list, then update the ledger.',
    'at last the ship (the Marguerite) is here',
    'ERROR handling is what I want to talk about today',
    'with Ada as captain:',
    'DEBUG=1 turns the log of the ledger on.',
    '3→4 berths are planned for the harbour now',
    'package tours are booked from May on',
    'In src/ledger.ts:27 the errors are not handled.',
    'Yes (really)',
  ])('leaves prose as it is: %s', (text) => {
    expect(kindsOf(text)).toEqual([['said', text.trim()]])
  })

  it('leaves the items of a list as they are, and prose that is wrapped beside code', () => {
    expect(kindsOf('- call open();\n- then close it;').map(([kind]) => kind)).toEqual(['said', 'said'])
    const wrapped = 'The pool is exhausted each night,\n  and the import that is run then fails.'
    expect(kindsOf(`const pool = open();\n${wrapped}`)).toEqual([
      ['code', 'const pool = open();'],
      ['said', wrapped],
    ])
  })

  it('keeps it out of summaries, and out of what is learned', async () => {
    const text = Object.values(pasted).join('\n\n')
    const message = { id: 'm', seq: 1, role: 'user' as const, sender: 'Ada', text }
    expect((await summarizeExtractive([message], { style: 'detailed', maxTokens: 2_000 })).sentences).toEqual([])
    expect(ownSentences({ text, stretches: [{ start: 0, end: text.length }] })).toEqual([])
  })
})
