import { describeSettings } from '../../src/config.ts'
import { generatedNotice, table } from './markdown.ts'

export function configurationPage(): string {
  const rows = describeSettings().map(({ name, default: value, description }) => [
    `\`${name}\``,
    value === undefined ? 'not set' : `\`${value}\``,
    description,
  ])
  return `# Configuration

${generatedNotice('src/config.ts')}

Nothing has to be configured. Settings are environment variables; an empty value counts as not set.

${table(['variable', 'default', 'meaning'], rows)}

- An MCP client usually does not pass your shell's environment on. Put the variables into the \`env\` of its entry; see
  [clients.md](clients.md).
- \`--env-file <path>\` reads settings from a file in \`.env\` form. A variable that is set outside wins. No other \`.env\`
  file is read.
- An unknown name that begins with \`VERBATIM_\` is refused at the start, with the nearest known name: a misspelt setting
  that is silently ignored would be worse.
- \`verbatim doctor\` shows the settings that are in effect.
- The importers also look at variables of other programs, to find their histories: see [import.md](import.md).
`
}
