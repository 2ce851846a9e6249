import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { z } from 'zod'

import type { Home } from './home.ts'

const reportSchema = z.object({
  path: z.string(),
  format: z.string().optional(),
  status: z.string(),
  reason: z.string().optional(),
  documents: z.array(
    z.object({ added: z.number(), known: z.number(), erased: z.number(), sessionIds: z.array(z.string()) }),
  ),
})
export type Report = z.infer<typeof reportSchema>

/** It reports within a fraction of this. */
const deadlineMs = 30_000

/** `verbatim import --watch` and what it reports. */
export class Watcher {
  readonly child: ChildProcess
  readonly reports: Report[] = []
  readonly exit: Promise<number | null>
  stderr = ''
  #rest = ''
  #wake: () => void = () => undefined

  constructor(home: Home, ...args: readonly string[]) {
    this.child = spawn(process.execPath, [home.program, 'import', '--watch', '--json', ...args], {
      env: home.env,
      cwd: home.userHome,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.exit = once(this.child, 'close').then(() => {
      this.#wake()
      return this.child.exitCode
    })
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n')
      this.#rest = lines.pop() ?? ''
      this.reports.push(...lines.map((line) => reportSchema.parse(JSON.parse(line))))
      this.#wake()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk
      this.#wake()
    })
  }

  /** Waits until it has read all that was there. */
  async ready(): Promise<void> {
    await this.until(() => this.stderr.includes('Following '))
  }

  /** How many entries of a file it has stored. */
  added(path: string): number {
    return this.#sum(path, ({ added }) => added)
  }

  /** How many entries of a file it found to be stored already. */
  known(path: string): number {
    return this.#sum(path, ({ known }) => known)
  }

  /** Waits for what a report or a line on stderr brings about. */
  async until(isTrue: () => boolean): Promise<void> {
    const deadline = setTimeout(() => this.#wake(), deadlineMs)
    const endsAt = performance.now() + deadlineMs
    while (!isTrue()) {
      if (performance.now() >= endsAt || this.child.exitCode !== null)
        throw new Error(`It was not reported: ${isTrue.toString()}\n${JSON.stringify(this.reports)}\n${this.stderr}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    clearTimeout(deadline)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return await this.exit
  }

  #sum(path: string, pick: (document: Report['documents'][number]) => number): number {
    return this.reports
      .filter((report) => report.path === path)
      .flatMap(({ documents }) => documents)
      .reduce((total, document) => total + pick(document), 0)
  }
}
