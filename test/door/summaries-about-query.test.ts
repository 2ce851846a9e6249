import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

const goListing = `     1→package telemetry
     2→
     3→import (
     4→	"context"
     5→	"github.com/posthog/posthog-go"
     6→)
     7→
     8→// Telemetry of the lighthouse is permission denied by default
     9→var denied = "permission denied"`
const lint = `[lint] $ golangci-lint run .
cmd/lamp/main.go:27:5: G104: Errors unhandled (gosec)
[lint] ERROR lint errors of golangci, permission denied
On branch lamp
nothing to commit, permission denied`

beforeAll(async () => {
  home.settings = { ...home.settings, VERBATIM_ROLLING_SUMMARIES: 'off' }
  tools = await home.tools()
  const say = (sender: string, role: string, content: string) => ({ sender, role, content })
  const messages = [
    say('Ada', 'user', 'The lamp prints "permission denied" as it may not read its settings. Nothing else is wrong.'),
    say('Read', 'tool', goListing),
    say('Bash', 'tool', lint),
    say('Ada', 'user', 'LAMP_TELEMETRY_OPTOUT=1 ./lamp help > /dev/null  0.01s user 0.00s system 80% cpu 0.014 total'),
    say(
      'bot',
      'assistant',
      `Permission denied comes from here:\n\n${goListing.replaceAll(/^ +\d+→/gmu, '')}\n\nLet me look.`,
    ),
    say('Ada', 'user', `\`\`\`\n${'await crew.wait(tide)\n'.repeat(300)}\`\`\`\nThe zeppelin moors at the old mast.`),
    say('Ada', 'user', `The foghorn is loud at night.\n\n${'wait and see '.repeat(400)}({ foghorn: lou`),
    say(
      'Task',
      'tool',
      '0 issues.\n\nThe ballast of the submarine was counted twice by the crew.\n\n> submarine@1.0.0 ballast',
    ),
    say('Ada', 'user', 'The hooks are slow. We decided to drop them. The crew is asleep.'),
  ]
  await tools.saveAll({ session_id: 'lamp', messages })
})

const replySchema = z.object({ citations: z.array(z.object({ text: z.string() })) })
const textsOf = (structured: unknown) => replySchema.parse(structured).citations.map(({ text }) => text)
const about = async (query: string) =>
  textsOf((await tools.call('summarize', { query, style: 'detailed', max_tokens: 2_000, format: 'json' })).structured)

describe('summarize of a query, without a model', () => {
  test('quotes what was said, and neither code nor what programs print', async () => {
    const texts = await about('permission denied')
    expect(texts).toEqual(['The lamp prints "permission denied" as it may not read its settings.'])
    const { stdout } = await home.cli(['summarize', '--query', 'permission denied'])
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  test.each(['lint errors golangci', 'telemetry optout', 'zzzzqqq nothing', 'package import posthog'])(
    'says plainly that no sentence answers: %s',
    async (query) => {
      const { text, structured } = await tools.call('summarize', { query, format: 'json' })
      expect(structured).toMatchObject({ summary: '', citations: [], no_answer: true })
      expect(text).not.toContain('golangci')
      const asText = await tools.call('summarize', { query })
      expect(asText.text).toMatch(
        /^No sentence found that has enough of the words of the query in \d+ messages of \d sessions?\. A search for it shows what comes near\./mu,
      )
      const { stdout, code } = await home.cli(['summarize', '--query', query])
      expect(stdout).toBe(
        'No sentence found that has enough of the words of the query. A search for it shows what comes near.\n',
      )
      expect(code).toBe(0)
    },
  )

  test('finds the sentence that stands far behind in a long message, and quotes none that is cut off', async () => {
    expect(await about('where does the zeppelin moor?')).toEqual(['The zeppelin moors at the old mast.'])
    expect(await about('foghorn')).toEqual(['The foghorn is loud at night.'])
  })

  test('quotes a sentence of what a tool answered where nobody else said anything', async () => {
    expect(await about('ballast of the submarine')).toEqual([
      'The ballast of the submarine was counted twice by the crew.',
    ])
  })

  test('quotes the decision that stands beside what was asked about', async () => {
    expect(await about('what was decided about the hooks?')).toEqual([
      'The hooks are slow.',
      'We decided to drop them.',
    ])
    const { structured } = await tools.call('summarize', { query: 'hooks', style: 'decisions', format: 'json' })
    expect(textsOf(structured)).toEqual(['We decided to drop them.'])
    const none = await tools.call('summarize', { query: 'zeppelin', style: 'decisions' })
    expect(none.text).toContain('No decision found that has enough of the words of the query')
  })

  test('quotes no sentence that a summary of the session or of a time would not have', async () => {
    const session = await tools.call('summarize', {
      session_id: 'lamp',
      style: 'detailed',
      max_tokens: 4_000,
      format: 'json',
    })
    const time = await tools.call('summarize', {
      since: '2020-01-01',
      style: 'detailed',
      max_tokens: 4_000,
      format: 'json',
    })
    for (const { structured } of [session, time]) {
      const texts = textsOf(structured).join('\n')
      expect(texts).toContain('The ballast of the submarine')
      expect(texts).not.toMatch(/→|posthog|golangci|OPTOUT|On branch|\[…\]|0 issues|foghorn: lou/u)
    }
  })
})
