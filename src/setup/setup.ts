import { isAbsolute } from 'node:path'

import { ConflictError, InputError, VerbatimError } from '../errors.ts'
import { isJsonObject } from '../model/json/json.ts'
import { type ClientName, clients, type Place, type SetupClient } from './clients.ts'
import { keepCopy, pathExists, readClientConfig, replaceClientConfig } from './config-file.ts'
import type { SetupServer } from './entry.ts'

/**
 * What a write would do, made without writing. `before` is undefined where there is no file; `after` is the whole new
 * text; both are equal when nothing is to be done. `instructions` are whole lines in the order in which to follow them.
 */
export type SetupPlan = {
  readonly client: ClientName
  readonly label: string
  readonly path: string
  readonly exists: boolean
  readonly before: string | undefined
  readonly after: string
  readonly alreadyConfigured: boolean
  readonly snippet: string
  readonly instructions: readonly string[]
}

export type FoundClient = {
  readonly client: ClientName
  readonly label: string
  readonly path: string
  readonly installed: boolean
  readonly configured: boolean
  /** Why the configuration could not be read; `configured` is then false. */
  readonly problem?: string
}

/** Works out a client's new configuration. Throws InputError for an unknown client and for a file it cannot edit safely. */
export async function planSetup(name: string, options: Place & { readonly server: SetupServer }): Promise<SetupPlan> {
  const client = clientNamed(name)
  const { server } = options
  const path = client.configPath(options)
  const before = await readClientConfig(path)
  const after = editOrExplain(client, { path, before, server, platform: options.platform })
  const alreadyConfigured = before === after
  return {
    client: client.name,
    label: client.label,
    path,
    exists: before !== undefined,
    before,
    after,
    alreadyConfigured,
    snippet: client.snippet(server),
    instructions: alreadyConfigured ? [] : client.afterwards,
  }
}

/**
 * Writes a plan. Nothing is touched when the client is already configured. What stood in the file is first kept beside
 * it as `<file>.before-verbatim-<timestamp>`. Throws ConflictError when the file changed after the plan was made, which
 * happens where the client is running and writes its own settings.
 */
export async function writeSetup(
  plan: SetupPlan,
  options: { readonly now: Date } = { now: new Date() },
): Promise<{ readonly path: string; readonly backupPath?: string }> {
  if (plan.alreadyConfigured) return { path: plan.path }
  if ((await readClientConfig(plan.path)) !== plan.before) {
    throw new ConflictError(
      `Cannot write "${plan.path}" as it must be unchanged since it was read: ${plan.label} or you changed it`,
      {
        remedy: `Quit ${plan.label} and run setup again`,
      },
    )
  }
  const backupPath = plan.before === undefined ? undefined : await keepCopy(plan.path, plan.before, options.now)
  await replaceClientConfig(plan.path, plan.after)
  return backupPath === undefined ? { path: plan.path } : { path: plan.path, backupPath }
}

/** Every known client with what this machine has of it. A configuration that cannot be read is reported, not thrown. */
export async function findClients(place: Place): Promise<readonly FoundClient[]> {
  return await Promise.all(clients.map(async (client) => await findClient(client, place)))
}

async function findClient(client: SetupClient, place: Place): Promise<FoundClient> {
  const path = client.configPath(place)
  const found = { client: client.name, label: client.label, path }
  const isInstalled = await pathExists(client.marker(place))
  try {
    const text = await readClientConfig(path)
    const installed = isInstalled || text !== undefined
    const entry = text === undefined ? undefined : client.entry(text)
    const missing = await missingFile(entry)
    return {
      ...found,
      installed,
      configured: entry !== undefined && missing === undefined,
      ...(missing === undefined ? {} : { problem: `Its entry for Verbatim names "${missing}", which is not there` }),
    }
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    return { ...found, installed: true, configured: false, problem: error.message }
  }
}

/** The first file that an entry starts and that does not exist: Node.js or Verbatim have moved since it was written. */
async function missingFile(entry: unknown): Promise<string | undefined> {
  if (!isJsonObject(entry)) return undefined
  const { command, args } = entry
  const files = [command, Array.isArray(args) ? args[0] : undefined]
  for (const file of files) {
    if (typeof file === 'string' && isAbsolute(file) && !(await pathExists(file))) return file
  }
  return undefined
}

function clientNamed(name: string): SetupClient {
  const client = clients.find((candidate) => candidate.name === name)
  if (client !== undefined) return client
  const names = clients.map((candidate) => candidate.name).join(', ')
  throw new InputError(`Cannot set up "${name}" as the client must be one of: ${names}`)
}

/** The editors know neither the file's name nor another way in; the user needs both. */
function editOrExplain(
  client: SetupClient,
  file: {
    readonly path: string
    readonly before: string | undefined
    readonly server: SetupServer
    readonly platform: NodeJS.Platform
  },
): string {
  try {
    return client.edit(file.before, file.server)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const own = client.ownCommand?.(file.server, file.platform)
    const otherWay =
      own === undefined ? `Add this by hand:\n${client.snippet(file.server)}` : `Or let ${client.label} do it: ${own}`
    throw new InputError(`${error.message} (in "${file.path}", which was left as it is)`, {
      cause: error,
      remedy: error.remedy === undefined ? otherWay : `${error.remedy}. ${otherWay}`,
    })
  }
}
