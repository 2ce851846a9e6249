import { Command, CommanderError } from 'commander'

import { packageVersion } from '../version.ts'
import { CommandUnrecorded } from './command-unrecorded.ts'
import { noteCommand } from './context.ts'
import { exitCodes, ExitStatus } from './exit-codes.ts'
import { tellError } from './tell-error.ts'
import { wordsOf } from './words.ts'

type Register = (program: Command, status: ExitStatus) => void

/** In the order of the help. A command loads nothing of the others. */
const commands = new Map<string, () => Promise<Register>>([
  ['serve', async () => (await import('./commands/serve.ts')).registerServe],
  ['import', async () => (await import('./commands/import.ts')).registerImport],
  ['hook', async () => (await import('./commands/hook.ts')).registerHook],
  ['search', async () => (await import('./commands/search.ts')).registerSearch],
  ['sessions', async () => (await import('./commands/sessions.ts')).registerSessions],
  ['show', async () => (await import('./commands/show.ts')).registerShow],
  ['export', async () => (await import('./commands/export.ts')).registerExport],
  ['summarize', async () => (await import('./commands/summarize.ts')).registerSummarize],
  ['facts', async () => (await import('./commands/facts.ts')).registerFacts],
  ['ranking', async () => (await import('./commands/ranking.ts')).registerRanking],
  ['erase', async () => (await import('./commands/erase.ts')).registerErase],
  ['anonymise', async () => (await import('./commands/anonymise.ts')).registerAnonymise],
  ['correct', async () => (await import('./commands/correct.ts')).registerCorrect],
  ['restrict', async () => (await import('./commands/restrict.ts')).registerRestrict],
  ['unrestrict', async () => (await import('./commands/restrict.ts')).registerUnrestrict],
  ['privacy', async () => (await import('./commands/privacy.ts')).registerPrivacy],
  ['retention', async () => (await import('./commands/retention.ts')).registerRetention],
  ['verify', async () => (await import('./commands/verify.ts')).registerVerify],
  ['archive', async () => (await import('./commands/archive.ts')).registerArchive],
  ['restore', async () => (await import('./commands/restore.ts')).registerRestore],
  ['migrate', async () => (await import('./commands/migrate.ts')).registerMigrate],
  ['sync', async () => (await import('./commands/sync.ts')).registerSync],
  ['reindex', async () => (await import('./commands/reindex.ts')).registerReindex],
  ['status', async () => (await import('./commands/status.ts')).registerStatus],
  ['doctor', async () => (await import('./commands/doctor.ts')).registerDoctor],
  ['setup', async () => (await import('./commands/setup.ts')).registerSetup],
  ['token', async () => (await import('./commands/token.ts')).registerToken],
  ['tenant', async () => (await import('./commands/tenant.ts')).registerTenant],
  ['access', async () => (await import('./commands/access.ts')).registerAccess],
  ['audit', async () => (await import('./commands/audit.ts')).registerAudit],
  ['keys', async () => (await import('./commands/keys.ts')).registerKeys],
])

/** The command line with every command, or with one; `status` is where a command that has run leaves its exit code. */
export async function describeProgram(status: ExitStatus, only?: string): Promise<Command> {
  const program = new Command('verbatim')
    .description('The complete, lossless memory of AI agents. Without a command: an MCP server on stdin and stdout.')
    .version(packageVersion(), '-V, --version')
    .option('--read-only', 'MCP server: offer no tool that writes')
    .option('--tools <names>', 'MCP server: offer only these tools, separated by commas')
    .option('--env-file <path>', 'read settings from a file in .env form')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 problems were found, 2 wrong arguments or settings, 3 the store does not answer, or takes no row of the command in its audit log.\nDocumentation: docs/cli.md',
    )
    .exitOverride()
    .hook('preAction', (_program, command) => noteCommand(program, command))
  const one = commands.get(only ?? '')
  for (const load of one === undefined ? commands.values() : [one]) (await load())(program, status)
  for (const command of program.commands) {
    command.exitOverride()
    for (const nested of command.commands) nested.exitOverride()
  }
  return program
}

/** Runs a command and returns its exit code; errors are said on stderr, what to do included. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const command = wordsOf(argv.slice(2))[0]
  const code = await runCommand(argv, command)
  // Claude Code and Codex take a 2 of a hook for an order to go on with the turn; anything else is shown to the user.
  return command === 'hook' && code !== exitCodes.ok ? exitCodes.problems : code
}

async function runCommand(argv: readonly string[], command: string | undefined): Promise<number> {
  const status = new ExitStatus()
  const program = await describeProgram(status, command)
  try {
    await program.parseAsync([...argv])
    return status.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const code = tellError(error)
    // What a command found is what it was run for: that it has no row of its own is said, and does not hide it.
    return error instanceof CommandUnrecorded && status.code !== exitCodes.ok ? status.code : code
  }
}
