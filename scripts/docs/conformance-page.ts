import { scenarioGroups, revisions, type ScenarioGroup } from '../../test/door/support/conformance-list.ts'
import { generatedNotice, table } from './markdown.ts'

function namesOf(group: ScenarioGroup): string {
  const where = group.revisions === undefined ? '' : ` (${group.revisions.join(', ')})`
  return `${group.names.map((name) => `\`${name}\``).join(', ')}${where}`
}

function rowsOf(runsOn: ScenarioGroup['runsOn']): string[][] {
  return scenarioGroups.filter((group) => group.runsOn === runsOn).map((group) => [namesOf(group), group.reason ?? ''])
}

export function conformancePage(): string {
  const served = scenarioGroups.filter((group) => group.runsOn === 'serve')
  const parts = served.flatMap(({ names, checks = [], reason }) =>
    checks.length === 0 ? [] : [[names.join(', '), checks.map((check) => `\`${check}\``).join(', '), reason ?? '']],
  )
  return `# Conformance to the protocol

${generatedNotice('test/door/support/conformance-list.ts')}

\`npm test\` runs the official conformance suite, \`@modelcontextprotocol/conformance\`, against \`verbatim serve\` over HTTP:
every scenario that it has for a server, in every revision of the protocol that it knows (${revisions.join(', ')}). It also holds
every message against the schema of the revision. A scenario that fails and is not below fails the tests, and so does
one that is below and passes. Scenarios of extensions of the protocol (tasks, skills) are not run, as the server declares none.

## Run on verbatim serve

All checks pass, where a revision has the scenario:

${served.map((group) => `- ${namesOf(group)}`).join('\n')}

Of these, checks that nothing here can show:

${table(['scenario', 'checks', 'why'], parts)}

## Run on a server of fixtures

These call for tools, resources and prompts of the suite's own. They run on a server in \`test/\` that has them behind the
gate, the transport and the kits of the product, and pass there.

${table(['scenarios', 'why'], rowsOf('fixture'))}

## Not run

${table(['scenarios', 'why'], rowsOf('nowhere'))}

The suite needs Node.js 22. Where the tests run on an older one, they fetch the program of a newer one from npm into
\`node_modules/.cache\`; where that fails, the suite is skipped and the run says so. What runs over stdio has tests of its own
(\`test/door/mcp-protocol.test.ts\`), as the suite speaks HTTP only.
`
}
