import type { Command } from 'commander'

import { ExitStatus } from '../../src/cli/exit-codes.ts'
import { describeProgram } from '../../src/cli/program.ts'
import { generatedNotice, table } from './markdown.ts'

const helpColumns = 100

/** What `--help` prints, at a fixed width and without colours, so that the page is the same on every machine. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (piece) => {
      text += piece
    },
    getOutHelpWidth: () => helpColumns,
    getOutHasColors: () => false,
  })
  command.outputHelp()
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``
}

const exitCodeRows = [
  ['0', 'Done.'],
  [
    '1',
    'The command ran and found problems: damaged messages (`verify`, `export`), files that failed (`import`), a set-up that needs attention (`doctor`).',
  ],
  ['2', 'The arguments or the settings cannot be used, or what was named does not exist.'],
  [
    '3',
    'The store does not answer, or what it needs, such as its archive. Also: all was done, and the [audit log](audit.md#while-it-cannot-be-written) took no row of it; where problems were found as well, the code is 1, and both are said.',
  ],
  ['70', 'A defect of Verbatim: [troubleshooting.md](troubleshooting.md#defects).'],
]

export async function cliPage(): Promise<string> {
  const program = await describeProgram(new ExitStatus())
  const sections = program.commands.map((command) => `## verbatim ${command.name()}\n\n${helpOf(command)}`)
  return `# The command line

${generatedNotice('src/cli/')}

Results are printed on stdout, everything else on stderr. \`--json\` prints the same result for machines. Options of the
program itself, such as \`--env-file\`, stand before the command.

${helpOf(program)}

${sections.join('\n\n')}

## Exit codes

${table(['code', 'meaning'], exitCodeRows)}
`
}
