import { access, constants, stat } from 'node:fs/promises'
import { homedir } from 'node:os'

import type { Command } from 'commander'

import { describeSettings, processEnvironment, readConfig, readEnvFile, type Config } from '../../config.ts'
import { codeOf, VerbatimError } from '../../errors.ts'
import { shownAddress } from '../../model/server-address.ts'
import { clockProblem } from '../../retention/decide.ts'
import type { StoreStatus } from '../../sessions/status.ts'
import { findClients } from '../../setup/setup.ts'
import { readSweep } from '../../store/erasure/retention.ts'
import { findTranscripts } from '../../transcripts/registry.ts'
import { checkEncryption, type Check } from '../check-encryption.ts'
import { checkFlagged } from '../check-flagged.ts'
import { checkOpenclaw } from '../check-openclaw.ts'
import { checkServer } from '../check-server.ts'
import { commandName } from '../command-name.ts'
import { withStore } from '../context.ts'
import { describeArchive } from '../describe-archive.ts'
import { checkNames } from '../describe-names.ts'
import { describeSemantic } from '../describe-semantic.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'

const nodeMajorMin = 20

function checkNode(): Check {
  const major = Number(process.versions.node.split('.')[0])
  const message = `Node.js ${process.versions.node}`
  return major >= nodeMajorMin
    ? { name: 'node', state: 'ok', message }
    : { name: 'node', state: 'problem', message, remedy: 'Install Node.js 20, 22 or 24' }
}

function checkSettings(config: Config, environment: Readonly<Record<string, string | undefined>>): Check {
  const set = describeSettings().filter(({ name }) => (environment[name] ?? '') !== '')
  const values = set.map(({ name }) => `${name}=${shownValue(name, environment[name] ?? '')}`)
  return {
    name: 'settings',
    state: 'ok',
    message: values.length === 0 ? `all at their defaults, store in ${config.home}` : values.join(', '),
  }
}

/** Output of doctor is pasted into reports: that a key is set is enough to know. */
function shownValue(name: string, value: string): string {
  if (name === 'DATABASE_URL') return shownAddress(value)
  return /(?:KEY|HEADERS)$/.test(name) ? '(set)' : value
}

async function checkHome(config: Config): Promise<Check> {
  try {
    await access(config.home, constants.R_OK | constants.W_OK)
    const mode = (await stat(config.home)).mode & 0o777
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      return {
        name: 'home',
        state: 'problem',
        message: `${config.home} may be read by others (mode ${mode.toString(8)})`,
        remedy: `Run: chmod 700 "${config.home}"`,
      }
    }
    return { name: 'home', state: 'ok', message: `${config.home}, readable by you alone` }
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      return { name: 'home', state: 'ok', message: `${config.home} is made at the first start` }
    return {
      name: 'home',
      state: 'problem',
      message: `${config.home} cannot be read and written`,
      remedy: 'Give yourself the right to it, or set VERBATIM_HOME to another directory',
    }
  }
}

async function checkStore(program: Command): Promise<Check[]> {
  try {
    return await withStore(program, async ({ verbatim, caller }) => {
      const { sessions, messages, index, flagged, archive, names, ...status } = await verbatim.status(caller)
      const behind = index.messages_behind
      const checks: Check[] = [
        { name: 'store', state: 'ok', message: `${sessions} sessions, ${messages} messages` },
        behind === 0
          ? { name: 'index', state: 'ok', message: 'every message can be found' }
          : {
              name: 'index',
              state: 'note',
              message: `${behind} messages are not searchable yet; this goes on in the background`,
            },
      ]
      if (index.failed_for_good > 0) {
        checks.push({
          name: 'index failures',
          state: 'problem',
          message: `${index.failed_for_good} pieces of work failed for good`,
          remedy: `See log/daemon.log in the home, then run "verbatim verify"`,
        })
      }
      const sweep = await verbatim.stores.database.run((sql) => readSweep(sql, caller.tenantId))
      const jump = sweep === undefined ? undefined : clockProblem(sweep.sweptAtMs, sweep.nowMs)
      if (jump !== undefined)
        checks.push({
          name: 'retention',
          state: 'problem',
          message: `nothing that has expired is erased, as ${jump}`,
          remedy: `Check the clock and "${commandName()} retention preview", then run: ${commandName()} retention apply --yes`,
        })
      await verbatim.stores.archive.check()
      const server = await checkServer(verbatim.stores.database)
      const encryption = await checkEncryption(verbatim.stores.database, caller)
      return [
        ...checks,
        ...checkFlagged(flagged),
        ...server,
        encryption,
        ...checkArchive(archive),
        ...checkSemantic(status.semantic_search),
        ...checkNames(names),
      ]
    })
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    return [
      {
        name: 'store',
        state: 'problem',
        message: error.message,
        ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      },
    ]
  }
}

function checkArchive(archive: StoreStatus['archive']): Check[] {
  const name = 'archive'
  const checks: Check[] = [{ name, state: 'ok', message: `can be written; ${describeArchive(archive)}` }]
  if (archive.waits_for !== undefined)
    checks.push({
      name,
      state: 'problem',
      message: archive.waits_for,
      remedy: `It goes on by itself when the archive answers; or run: ${commandName()} archive --now`,
    })
  if (archive.failed_for_good > 0)
    checks.push({
      name,
      state: 'problem',
      message: `${archive.failed_for_good} sessions could not be archived`,
      remedy: `Run: ${commandName()} archive --now (it says why, and tries them again)`,
    })
  return checks
}

function checkSemantic(semantic: StoreStatus['semantic_search']): Check[] {
  const name = 'semantic search'
  if (semantic.state === 'off') return [{ name, state: 'note', message: 'off: words are searched, meaning is not' }]
  const checks: Check[] = [
    { name, state: semantic.messages_behind === 0 ? 'ok' : 'note', message: describeSemantic(semantic) },
  ]
  if (semantic.waits_for !== undefined)
    checks.push({
      name,
      state: 'problem',
      message: semantic.waits_for,
      remedy: 'It goes on by itself when the provider answers; words are searched meanwhile',
    })
  if (semantic.failed_for_good > 0)
    checks.push({
      name,
      state: 'problem',
      message: `${semantic.failed_for_good} messages were refused by the embedder for good`,
      remedy: 'They are found by their words. Run "verbatim reindex --vectors" to try them again',
    })
  return checks
}

async function checkSurroundings(): Promise<Check[]> {
  const here = { home: homedir(), platform: process.platform, env: processEnvironment() }
  const clients = await findClients(here)
  const places = await findTranscripts(homedir(), processEnvironment())
  const installed = clients.filter((client) => client.installed)
  const checks: Check[] = installed.map((client) =>
    client.configured
      ? { name: client.client, state: 'ok', message: `${client.label} is configured` }
      : {
          name: client.client,
          state: 'note',
          message: `${client.label} is on this machine and not configured${client.problem === undefined ? '' : `: ${client.problem}`}`,
          remedy: `Run: ${commandName()} setup ${client.client} --write`,
        },
  )
  checks.push(...(await checkOpenclaw(here)))
  if (installed.length === 0)
    checks.push({
      name: 'clients',
      state: 'note',
      message: 'no known MCP client was found on this machine',
      remedy: 'docs/clients.md shows how to configure one by hand',
    })
  for (const place of places) {
    checks.push({
      name: `history: ${place.format.name}`,
      state: 'note',
      message: `${place.files.length} ${place.format.label} files in ${place.path}`,
      remedy: `Run: ${commandName()} import (again at any time; known entries count once)`,
    })
  }
  return checks
}

export function registerDoctor(program: Command, status: ExitStatus): void {
  program
    .command('doctor')
    .description('what is configured, what is missing, and how to fix it')
    .option('--json', 'machine-readable output')
    .action(async (options: { json?: boolean }) => {
      const { envFile } = program.opts<{ envFile?: string }>()
      const environment = envFile === undefined ? processEnvironment() : readEnvFile(envFile)
      const config = readConfig(environment)
      const checks = [
        checkNode(),
        checkSettings(config, environment),
        ...(await checkStore(program)),
        await checkHome(config),
        ...(await checkSurroundings()),
      ]
      if (checks.some(({ state }) => state === 'problem')) status.code = exitCodes.problems
      if (options.json === true) return printJson(checks)
      const marks = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' }
      return print(
        checks
          .map(
            ({ state, name, message, remedy }) =>
              `${marks[state]}  ${name}: ${message}${remedy === undefined ? '' : `\n         ${remedy}`}\n`,
          )
          .join(''),
      )
    })
}
