import { exec } from 'node:child_process'
import { createHmac, randomBytes, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import { codeOf, InputError, UnavailableError } from '../errors.ts'
import { makeOnce } from '../make-once.ts'
import { keyBytes, takeKey } from './aead.ts'

/** Where a root key comes from. `setting` is the name of what says so, where that is not the usual one. */
export type RootKeySettings =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'value'; readonly text: string; readonly setting?: string }
  | { readonly kind: 'command'; readonly command: string; readonly setting?: string }

/** The key that wraps the keys of all tenants, and what it is known by. The id tells nothing of the key. */
export interface RootKey {
  readonly id: string
  readonly key: KeyObject
}

/** A key management service answers within seconds; a keychain may ask the user. */
const commandMs = 60_000
const outputBytesMax = 4_096
const run = promisify(exec)

/** The name of a source, as an error or `doctor` may show it. */
export function describeRootKey(settings: RootKeySettings): string {
  switch (settings.kind) {
    case 'file':
      return `the file "${settings.path}"`
    case 'value':
      return settings.setting ?? 'VERBATIM_ROOT_KEY'
    case 'command':
      return `the command of ${settings.setting ?? 'VERBATIM_ROOT_KEY_COMMAND'}`
    default:
      return settings satisfies never
  }
}

/**
 * Reads the root key; undefined where its file is not there. It is 32 bytes, in base64 or hexadecimal. Throws InputError
 * where it is anything else, UnavailableError where it cannot be had.
 */
export async function readRootKey(settings: RootKeySettings): Promise<RootKey | undefined> {
  const text = await readText(settings)
  return text === undefined ? undefined : rootKeyOf(text.trim(), describeRootKey(settings))
}

/**
 * Makes the file of a new root key, for its owner only. Of several processes that do so at once the first one wins; whether it was
 * this one.
 */
export async function makeRootKeyFile(path: string): Promise<boolean> {
  try {
    return await makeOnce(path, Buffer.from(`${randomBytes(keyBytes).toString('base64')}\n`))
  } catch (error) {
    throw new UnavailableError(`Cannot make the root key in the file "${path}"`, {
      remedy: 'Make its directory one that you may write to, or set VERBATIM_ROOT_KEY_FILE to another file',
      cause: error,
    })
  }
}

async function readText(settings: RootKeySettings): Promise<string | undefined> {
  switch (settings.kind) {
    case 'value':
      return settings.text
    case 'file':
      return await readKeyFile(settings.path)
    case 'command':
      return await runCommand(settings.command, describeRootKey(settings))
    default:
      return settings satisfies never
  }
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new UnavailableError(`Cannot read the root key from the file "${path}"`, {
      remedy: 'Give yourself, and nobody else, the right to read it',
      cause: error,
    })
  }
}

/** What a command prints is a secret, and so may be what it says of an error: neither is shown. */
async function runCommand(command: string, name: string): Promise<string> {
  try {
    const { stdout } = await run(command, { timeout: commandMs, maxBuffer: outputBytesMax, windowsHide: true })
    return stdout
  } catch {
    throw new UnavailableError(`Cannot get the root key as ${name} failed`, {
      remedy: 'Run it by hand: it must print the key within 60 seconds, and nothing else, and end with code 0',
    })
  }
}

function rootKeyOf(text: string, source: string): RootKey {
  const bytes = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined
  if (bytes?.length !== keyBytes)
    throw new InputError(`Cannot use the root key of ${source} as it must be 32 bytes in base64 or hexadecimal`, {
      remedy:
        'Where a store is encrypted already, put its key back from your copy: no other one opens it. For a new store make one with: openssl rand -base64 32',
    })
  const id = createHmac('sha256', bytes).update('id of a root key of verbatim').digest('hex').slice(0, 16)
  return { id, key: takeKey(bytes) }
}
