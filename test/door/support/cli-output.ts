import { expect } from 'vitest'

import type { Home } from './home.ts'

/** What a command prints; it must succeed and say nothing on stderr. */
export async function outputOf(home: Home, args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await home.cli(args)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

/** What a command says that is refused for what it was given. */
export async function refusalOf(home: Home, args: readonly string[]): Promise<string> {
  const { stderr, code } = await home.cli(args)
  expect(code).toBe(2)
  return stderr
}
