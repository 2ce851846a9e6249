import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { isAlive } from './is-alive.ts'

/** Ends the process that owns the embedded store of a home, where there is one, and waits until it is gone. */
export async function endDaemonOf(home: string): Promise<void> {
  const status = join(home, 'log', 'daemon.json')
  if (!existsSync(status)) return
  const { pid } = z.object({ pid: z.number().int().min(2) }).parse(JSON.parse(readFileSync(status, 'utf8')))
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  const deadline = Date.now() + 15_000
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`The daemon ${pid} did not leave within 15 s of SIGTERM`)
    await sleep(20)
  }
}
