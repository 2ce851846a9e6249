import { existsSync } from 'node:fs'
import { homedir } from 'node:os'

import { Argument, type Command } from 'commander'

import { processEnvironment, readConfig, readEnvFile } from '../../config.ts'
import { describeRootKey } from '../../crypto/root-key.ts'
import { packageFile } from '../../package-file.ts'
import { clients } from '../../setup/clients.ts'
import { serverCommand } from '../../setup/server-command.ts'
import { findClients, planSetup, writeSetup } from '../../setup/setup.ts'
import { homePathsOf } from '../../store/embedded/home.ts'
import { print, printJson, table } from '../output.ts'

interface SetupOptions {
  readonly write?: boolean
  readonly json?: boolean
}

/**
 * The settings that a client must hand to the server it starts, because most clients hide the shell's environment. The
 * store's place is written whole, and so is that of the root key: a client expands no `~` and starts servers in a directory of its
 * own. The root key itself is not written into a file that others may read.
 */
function carriedEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { home, encryption } = readConfig(environment)
  const { encrypts, rootKey } = encryption
  return {
    ...((environment['VERBATIM_HOME'] ?? '') === '' ? {} : { VERBATIM_HOME: home }),
    ...(encrypts === undefined ? {} : { VERBATIM_ENCRYPTION: encrypts ? 'on' : 'off' }),
    ...(encryption.isRootKeyNamed && rootKey.kind === 'file' ? { VERBATIM_ROOT_KEY_FILE: rootKey.path } : {}),
    ...(rootKey.kind === 'command' ? { VERBATIM_ROOT_KEY_COMMAND: rootKey.command } : {}),
  }
}

function cautionOfRootKey(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  if (readConfig(environment).encryption.rootKey.kind !== 'value') return undefined
  return 'VERBATIM_ROOT_KEY is the key itself and is not written down: put it into a file that you alone may read, set VERBATIM_ROOT_KEY_FILE to it, and run `verbatim setup` again. As it is, the client’s server has not this key'
}

/** What somebody has to know before anything is saved by the server with these settings; nothing of a store that is not encrypted. */
function aboutRootKey(environment: Readonly<Record<string, string>>): string {
  const { encryption, home } = readConfig(environment)
  const { rootKey } = encryption
  if (encryption.encrypts === false) return ''
  const isThere = rootKey.kind === 'command' || (rootKey.kind === 'file' && existsSync(rootKey.path))
  if (!isThere && existsSync(homePathsOf(home).database)) return ''
  return `\nWhat is saved is encrypted. Its root key ${rootKey.kind === 'command' ? 'is that of' : isThere ? 'is in' : 'will be in'} ${describeRootKey(rootKey)}: keep a copy of it elsewhere, as nothing can be read without it.\n`
}

async function listClients(json: boolean): Promise<void> {
  const found = await findClients({ home: homedir(), platform: process.platform, env: processEnvironment() })
  if (json) return printJson(found)
  const rows = found.map(({ client, label, installed, configured, path }) => [
    client,
    label,
    installed ? 'yes' : 'no',
    configured ? 'yes' : 'no',
    path,
  ])
  return print(
    `${table(['client', 'name', 'found', 'configured', 'configuration'], rows)}\n\nNext: verbatim setup <client>\n`,
  )
}

export function registerSetup(program: Command): void {
  program
    .command('setup')
    .description('show how to add Verbatim to an MCP client; with --write, add it')
    .addArgument(
      new Argument('[client]', 'which client; without one, those found on this machine').choices(
        clients.map(({ name }) => name),
      ),
    )
    .option('--write', 'write the configuration, and keep a copy of what was there')
    .option('--json', 'machine-readable output')
    .action(async (client: string | undefined, options: SetupOptions) => {
      if (client === undefined) return listClients(options.json === true)
      const scriptPath = packageFile('dist/cli/main.js')
      const { caution, ...command } = serverCommand({
        execPath: process.execPath,
        scriptPath,
        platform: process.platform,
      })
      const { envFile } = program.opts<{ envFile?: string }>()
      const environment = envFile === undefined ? processEnvironment() : readEnvFile(envFile)
      const env = carriedEnvironment(environment)
      const plan = await planSetup(client, {
        home: homedir(),
        platform: process.platform,
        env: processEnvironment(),
        server: { ...command, env },
      })
      for (const said of [caution, cautionOfRootKey(environment)])
        if (said !== undefined) process.stderr.write(`Caution: ${said}\n`)
      if (options.write !== true) {
        if (options.json === true) {
          // The whole file may hold other servers' keys.
          const { before: _before, after: _after, ...shown } = plan
          return printJson(shown)
        }
        const state = plan.alreadyConfigured ? 'is configured already' : plan.exists ? 'exists' : 'does not exist yet'
        return print(
          `${plan.label}: ${plan.path} (${state})\n\n${plan.snippet}\n\n${plan.instructions.join('\n')}\n\nTo write it: verbatim setup ${client} --write\n`,
        )
      }
      const written = await writeSetup(plan)
      if (options.json === true)
        return printJson({ ...written, changed: !plan.alreadyConfigured, instructions: plan.instructions })
      const copy = written.backupPath === undefined ? '' : ` What was there is kept in ${written.backupPath}.`
      return print(
        `${plan.alreadyConfigured ? 'Nothing to change in' : 'Wrote'} ${written.path}.${copy}\n\n${plan.instructions.join('\n')}\n${aboutRootKey(env)}`,
      )
    })
}
