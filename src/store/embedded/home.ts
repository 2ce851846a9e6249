import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { messageOf, UnavailableError } from '../../errors.ts'

export interface HomePaths {
  readonly home: string
  readonly database: string
  /** Large payloads, and the segments and manifests of sessions. */
  readonly archive: string
  readonly lock: string
  readonly log: string
  readonly status: string
  /** Space that is given back when the disk is full, so that the engine can recover. */
  readonly reserve: string
}

export function homePathsOf(home: string): HomePaths {
  const root = resolve(home)
  return {
    home: root,
    database: join(root, 'db'),
    archive: join(root, 'archive'),
    lock: join(root, 'verbatim.lock'),
    log: join(root, 'log', 'daemon.log'),
    status: join(root, 'log', 'daemon.json'),
    reserve: join(root, 'reserve'),
  }
}

/** Makes the home and its directories, for their owner only: there is no other authentication on the socket. */
export function prepareHome(home: string): HomePaths {
  const paths = homePathsOf(home)
  for (const directory of ['', 'archive', 'keys', 'log']) ownDirectory(join(paths.home, directory))
  return paths
}

/** Which model a socket serves: the fields of the port's `EmbeddingModel`. */
interface ServedModel {
  readonly provider: string
  readonly name: string
  readonly dimensions: number
  readonly revision: string
}

/** Where the vectors of a model are offered: by the daemon of this home, or by a process that has threads of its own. */
export function embeddingSocketPathOf(home: string, model: ServedModel, owner?: string): string {
  const { provider, name, dimensions, revision } = model
  const id = createHash('sha256')
    .update(JSON.stringify([provider, name, dimensions, revision, owner]))
    .digest('hex')
  const path = socketPathOf(home)
  return path.endsWith('.sock') ? path.replace(/\.sock$/, `-${id.slice(0, 8)}.sock`) : `${path}-${id.slice(0, 8)}`
}

/** A socket's path may have 104 bytes on macOS and 108 on Linux, the ending zero included. */
const socketPathBytesMax = 100
/** What the names of the sockets for vectors have more. */
const embeddingSuffixBytes = 9

/**
 * Where the daemon of this home listens. It has to be the same in every process, whatever TMPDIR says there: for homes
 * with long names it is in a directory of this user below /tmp, on Windows it is a named pipe.
 */
export function socketPathOf(home: string): string {
  const name = createHash('sha256').update(realPathOf(home)).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return String.raw`\\.\pipe\verbatim-${name}`
  const path = join(resolve(home), 'verbatim.sock')
  if (Buffer.byteLength(path) + embeddingSuffixBytes <= socketPathBytesMax) return path
  return join('/tmp', `verbatim-${ownUid()}`, `${name}.sock`)
}

/**
 * Makes the socket's directory where that is not the home, and refuses one that another user put there: whoever owns
 * it could listen in the daemon's place.
 */
export function prepareSocketDirectory(socketPath: string, home: string): void {
  const directory = resolve(socketPath, '..')
  if (process.platform === 'win32' || directory === resolve(home)) return
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const stats = lstatSync(directory)
  if (!stats.isDirectory() || stats.uid !== ownUid() || (stats.mode & 0o077) !== 0) {
    throw new UnavailableError(`Cannot listen in "${directory}" as it must be a directory of this user alone`, {
      remedy: 'Remove it, or set VERBATIM_HOME to a shorter path',
    })
  }
}

function ownDirectory(path: string): void {
  try {
    makeDirectories(path)
  } catch (error) {
    throw new UnavailableError(`Cannot make the directory "${path}" of the store: ${messageOf(error)}`, {
      remedy: 'Set VERBATIM_HOME to a directory that you may write to',
      cause: error,
    })
  }
  if (process.platform !== 'win32' && lstatSync(path).uid === ownUid()) chmodSync(path, 0o700)
}

/** Step by step: Node's own recursive `mkdir` never ends where a file system refuses every name, as /proc does. */
function makeDirectories(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectories(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error
  }
}

/** Two names of one home must lead to one socket. */
function realPathOf(home: string): string {
  try {
    return realpathSync(home)
  } catch {
    // The home does not exist yet; nobody can have linked to it.
    return resolve(home)
  }
}

/** Not os.userInfo(), which fails for a user id without a name, as containers have them. */
function ownUid(): number {
  return process.getuid?.() ?? 0
}
