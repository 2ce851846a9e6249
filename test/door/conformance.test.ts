import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openVerbatim } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { startFixture } from './support/conformance-fixture.ts'
import { groupOf, revisions, scenarioGroups, type Revision } from './support/conformance-list.ts'
import { findNode, runSuite, type ScenarioResult } from './support/conformance-suite.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()
const node = findNode()
if (node.kind === 'none') console.warn(`Skipped: the conformance suite of the protocol, as ${node.reason}`)
const program = node.kind === 'program' ? node.path : ''

/** It checked something beside the form of the messages, and found nothing wrong. */
function isGood({ passed, failed }: ScenarioResult): boolean {
  return failed.length === 0 && passed.some((check) => check !== 'wire-schema-valid')
}

/** Good, or which of its checks failed where the list names some that do. */
function verdict(name: string, revision: Revision, result: ScenarioResult): string {
  const { checks } = groupOf(name, revision) ?? {}
  if (checks !== undefined) return `all but ${result.failed.toSorted().join(', ')}`
  return isGood(result) ? 'good' : 'not good'
}

/** What the list says of it. A scenario that it does not have is to be good. */
function expectedVerdict(name: string, revision: Revision): string {
  const { checks, runsOn = 'serve' } = groupOf(name, revision) ?? {}
  if (checks !== undefined) return `all but ${checks.toSorted().join(', ')}`
  return runsOn === 'serve' ? 'good' : 'not good'
}

describe.skipIf(node.kind === 'none')('the official conformance suite of the protocol', () => {
  let server: HttpHome | undefined
  let verbatim: Verbatim | undefined
  let fixture: Awaited<ReturnType<typeof startFixture>> | undefined
  const seen = new Set<string>()

  beforeAll(async () => {
    // The suite sends no token.
    server = await HttpHome.start(home, { args: ['--insecure-no-auth'], keep: true })
    verbatim = await openVerbatim(readConfig({ VERBATIM_HOME: home.path, VERBATIM_EMBEDDER: 'none' }))
    fixture = await startFixture(verbatim)
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
    await verbatim?.[Symbol.asyncDispose]()
    await server?.stop()
  })

  test.each(revisions)(
    '%s: verbatim serve passes every scenario but those that the list gives a reason for',
    async (revision) => {
      const results = await runSuite(program, { url: `${server?.url}/mcp`, revision })
      for (const name of results.keys()) seen.add(name)
      const wrong = [...results].filter(
        ([name, result]) => verdict(name, revision, result) !== expectedVerdict(name, revision),
      )
      expect(wrong.flatMap(([name, { reasons }]) => (reasons.length > 0 ? reasons : [`${name} passes`]))).toEqual([])
    },
  )

  // The first has only the one scenario, which is about sessions.
  test.each(revisions.slice(1))(
    '%s: what calls for fixtures passes on a server of them behind the same gate, transport and kits',
    async (revision) => {
      const results = await runSuite(program, { url: `${fixture?.url}`, revision })
      const onFixture = [...results].filter(([name]) => groupOf(name, revision)?.runsOn === 'fixture')
      expect(onFixture.length).toBeGreaterThan(10)
      expect(onFixture.flatMap(([, { reasons }]) => reasons)).toEqual([])
      expect(onFixture.filter(([, result]) => !isGood(result)).map(([name]) => name)).toEqual([])
    },
  )

  test('has every scenario of the list', () => {
    const listed = new Set(scenarioGroups.flatMap(({ names }) => names))
    expect([...seen].toSorted()).toEqual([...listed].toSorted())
  })
})
