import { expect } from 'vitest'

import type { Home } from './home.ts'

/** What a command prints; it must succeed and say nothing on stderr. */
export async function outputOf(home: Home, args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await home.cli(args)
  // Tests on a server name the root key by the key itself, which setup cautions about.
  const said = args[0] === 'setup' ? stderr.replace(/^.*VERBATIM_ROOT_KEY is the key itself.*\n/mu, '') : stderr
  // What was printed says why a command failed.
  expect({ code, stderr: said, ...(code !== 0 && { stdout }) }).toEqual({ code: 0, stderr: '' })
  return stdout
}

/** What a command says that is refused for what it was given. */
export async function refusalOf(home: Home, args: readonly string[]): Promise<string> {
  const { stderr, code } = await home.cli(args)
  expect(code).toBe(2)
  return stderr
}
