import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { z } from 'zod'

import type { Home } from '../../../../test/door/support/home.ts'
import { findPostgres, makeOrdinaryDatabase, startPostgres } from '../../../../test/support/postgres.ts'

/** The server under a home's Verbatim, to be killed and to be started again. */
export interface KillableStore {
  /** Kills it with SIGKILL and lets nothing start it. */
  kill(): Promise<void>
  start(): Promise<void>
  dispose(): Promise<void>
}

/** Why there is no PostgreSQL that may be killed, if there is none. */
export function lacksPostgres(): string | undefined {
  const found = findPostgres(process.env)
  if (found.kind === 'none') return found.reason
  return found.kind === 'url' ? 'TEST_DATABASE_URL names a server that is not to be killed' : undefined
}

/** A PostgreSQL of its own, where the home's Verbatim keeps its store from now on. */
export async function killablePostgres(home: Home): Promise<KillableStore> {
  const found = findPostgres(process.env)
  if (found.kind !== 'programs') throw new Error('There is no PostgreSQL to be killed')
  const server = await startPostgres(found.directory)
  const url = await makeOrdinaryDatabase(server.url, 'verbatim')
  home.settings = { ...home.settings, DATABASE_URL: url }
  return { kill: () => server.kill(), start: () => server.start(), dispose: () => server.stop() }
}

const ownerSchema = z.object({ pid: z.number().int().min(2) })
const lookMs = 20

/** The process that owns the home's embedded store. Whoever needs it starts it, so that each is killed as it comes. */
export function killableOwner(home: Home): KillableStore {
  const status = join(home.path, 'log', 'daemon.json')
  let timer: NodeJS.Timeout | undefined
  const killOwner = () => {
    if (!existsSync(status)) return
    const owner = ownerSchema.safeParse(parsed(readFileSync(status, 'utf8')))
    if (owner.success) killIfAlive(owner.data.pid)
  }
  const end = () => {
    clearInterval(timer)
    return Promise.resolve()
  }
  return {
    kill() {
      killOwner()
      timer = setInterval(killOwner, lookMs)
      return Promise.resolve()
    },
    start: end,
    dispose: end,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // It is being written.
    return undefined
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
