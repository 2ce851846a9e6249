import { Command, CommanderError } from 'commander'

import { packageVersion } from '../version.ts'
import { registerAccess } from './commands/access.ts'
import { registerArchive } from './commands/archive.ts'
import { registerAudit } from './commands/audit.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExport } from './commands/export.ts'
import { registerImport } from './commands/import.ts'
import { registerMigrate } from './commands/migrate.ts'
import { registerReindex } from './commands/reindex.ts'
import { registerRestore } from './commands/restore.ts'
import { registerSearch } from './commands/search.ts'
import { registerServe } from './commands/serve.ts'
import { registerSessions } from './commands/sessions.ts'
import { registerSetup } from './commands/setup.ts'
import { registerShow } from './commands/show.ts'
import { registerStatus } from './commands/status.ts'
import { registerSummarize } from './commands/summarize.ts'
import { registerTenant } from './commands/tenant.ts'
import { registerToken } from './commands/token.ts'
import { registerVerify } from './commands/verify.ts'
import { noteCommand } from './context.ts'
import { exitCodes, ExitStatus } from './exit-codes.ts'
import { tellError } from './tell-error.ts'

/** The command line with every command; `status` is where a command that has run leaves its exit code. */
export function describeProgram(status: ExitStatus): Command {
  const program = new Command('verbatim')
    .description('The complete, lossless memory of AI agents. Without a command: an MCP server on stdin and stdout.')
    .version(packageVersion(), '-V, --version')
    .option('--read-only', 'MCP server: offer no tool that writes')
    .option('--tools <names>', 'MCP server: offer only these tools, separated by commas')
    .option('--env-file <path>', 'read settings from a file in .env form')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 problems were found, 2 wrong arguments or settings, 3 the store does not answer.\nDocumentation: docs/cli.md',
    )
    .exitOverride()
    .hook('preAction', (_program, command) => noteCommand(program, command))
  for (const register of [
    registerServe,
    registerImport,
    registerSearch,
    registerSessions,
    registerShow,
    registerExport,
    registerSummarize,
    registerVerify,
    registerArchive,
    registerRestore,
    registerMigrate,
    registerReindex,
    registerStatus,
    registerDoctor,
    registerSetup,
    registerToken,
    registerTenant,
    registerAccess,
    registerAudit,
  ]) {
    register(program, status)
  }
  for (const command of program.commands) {
    command.exitOverride()
    for (const nested of command.commands) nested.exitOverride()
  }
  return program
}

/** Runs a command and returns its exit code; errors are said on stderr, what to do included. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const status = new ExitStatus()
  const program = describeProgram(status)
  try {
    await program.parseAsync([...argv])
    return status.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return tellError(error)
  }
}
