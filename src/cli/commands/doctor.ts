import { access, constants, stat } from 'node:fs/promises'
import { homedir } from 'node:os'

import type { Command } from 'commander'

import { describeSettings, processEnvironment, readConfig, readEnvFile, type Config } from '../../config.ts'
import { codeOf } from '../../errors.ts'
import { shownAddress } from '../../model/server-address.ts'
import { counted } from '../../model/text/counted.ts'
import { findClients } from '../../setup/setup.ts'
import { findTranscripts } from '../../transcripts/registry.ts'
import { checkOpenclaw } from '../checks/check-openclaw.ts'
import { checkStore } from '../checks/check-store.ts'
import type { Check } from '../checks/check.ts'
import { commandName } from '../command-name.ts'
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
      message: `${counted(place.files.length, `${place.format.label} file`)} in ${place.path}`,
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
