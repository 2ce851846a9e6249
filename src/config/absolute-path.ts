import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

import { InputError } from '../errors.ts'

/**
 * The path that a setting names. Clients start servers in directories of their own and expand no `~`: one name must mean
 * one place for all of them. Throws InputError where it is relative.
 */
export function absolutePath(setting: string, value: string): string {
  const path =
    value === '~' || value.startsWith('~/') || value.startsWith('~\\') ? join(homedir(), value.slice(1)) : value
  if (isAbsolute(path)) return resolve(path)
  throw new InputError(
    `Cannot start as the setting "${setting}" must be an absolute path: current value is "${value}"`,
    {
      remedy: 'Write the whole path, or one that begins with ~/',
    },
  )
}
