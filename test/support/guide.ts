import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { User } from './postgres.ts'

/** The fenced blocks of one language in a section of a page in docs/, in their order. Throws where there is no such section. */
export function blocksOf(page: string, heading: string, language = 'sh'): string[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs/${page} has no section "${heading}"`)
  return [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, body = '']) =>
    name === language ? [body] : [],
  )
}

/** Does what a block says, as somebody who follows the page would. Throws with what it printed where a command fails. */
export async function follow(
  block: string | undefined,
  where: {
    readonly env: Readonly<Record<string, string>>
    readonly cwd: string
    readonly user?: User | undefined
  },
): Promise<string> {
  if (block === undefined) throw new Error('The page has no such block')
  const child = spawn('bash', ['-euo', 'pipefail', '-c', block], {
    ...where.user,
    cwd: where.cwd,
    env: { PATH: process.env['PATH'], ...where.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'close')
  if (child.exitCode !== 0)
    throw new Error(`A block ended with ${child.exitCode ?? child.signalCode}:\n${block}\n${said}`)
  return said
}
