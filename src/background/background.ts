import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import { makesVectors, processEnvironment, readConfig } from '../config.ts'
import type { Log } from '../log.ts'
import { packageFile } from '../package-file.ts'
import { unobserved, type Observer } from '../ports/observer.ts'
import type { Background } from '../store/embedded/daemon/daemon.ts'
import { asUpdated } from '../updated.ts'
import type { ThreadSettings } from './thread-database.ts'
import { threadLog } from './thread-log.ts'
import { factOf } from './thread-observer.ts'

/** The environment that the threads read their settings from; default: that of this process. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * Starts the background work of a store in threads of its own: reading text and making vectors cost time that the thread
 * which serves clients does not have. `observer` is told what happens in them.
 */
export async function startBackground(
  settings: ThreadSettings,
  environment: Environment = processEnvironment(),
  observer: Observer = unobserved,
): Promise<Background> {
  const start = (file: string) => BackgroundThread.start(file, settings, { environment, observer })
  const indexing = settings.works ? await start('background-thread.js') : undefined
  // At the start there may be work that an earlier process left, and the first search waits for it.
  indexing?.wake()
  // A thread takes half a second of CPU to start.
  const embedding = makesVectors(readConfig(environment)) ? await start('embedding-thread.js') : undefined
  embedding?.wake()
  // What was indexed is embedded next.
  if (indexing !== undefined) indexing.onIdle = () => embedding?.wake()
  return {
    wake: () => indexing?.wake(),
    busy: () => indexing !== undefined && (indexing.isBusy || embedding?.isBusy === true),
    stop: async () => {
      await Promise.all([indexing?.stop(), embedding?.stop()])
    },
  }
}

/** Threads need JavaScript, also where this module itself runs from its source, as in tests and benches. */
function compiledThread(file: string): string {
  return packageFile(`dist/background/${file}`)
}

/** What a thread is at takes so long at most, unless something does not answer. */
const stopMs = 10_000

/** A thread that has ended by a defect is started again after this; it may meet the same at once. */
const restartMs = 5_000

/** A thread that is woken, says when it has nothing to do, and stops when it is told. */
class BackgroundThread {
  readonly #open: () => Worker
  readonly #log: Log
  readonly #observer: Observer
  isBusy = true
  onIdle: () => void = () => undefined
  #worker: Worker
  #isStopping = false
  /** Its files are gone: nothing of it can be started again. */
  #isUpdated = false
  #restart: NodeJS.Timeout | undefined

  private constructor(open: () => Worker, told: { readonly log: Log; readonly observer: Observer }) {
    this.#open = open
    this.#log = told.log
    this.#observer = told.observer
    this.#worker = this.#begin()
  }

  static async start(
    file: string,
    settings: ThreadSettings,
    { environment, observer }: { readonly environment: Environment; readonly observer: Observer },
  ): Promise<BackgroundThread> {
    const open = () => {
      // What a library prints must not get to the stdout of a process that speaks a protocol there.
      const worker = new Worker(compiledThread(file), { workerData: settings, env: { ...environment }, stdout: true })
      worker.stdout.pipe(process.stderr)
      return worker
    }
    const thread = new BackgroundThread(open, { log: threadLog(settings), observer })
    try {
      await once(thread.#worker, 'online')
    } catch (error) {
      throw asUpdated(error)
    }
    return thread
  }

  wake(): void {
    if (this.#isStopping || this.#isUpdated || this.#restart !== undefined) return
    this.isBusy = true
    this.#worker.postMessage('wake')
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#isUpdated) return undefined
    if (this.#restart !== undefined) return clearTimeout(this.#restart)
    const exited = once(this.#worker, 'exit')
    this.#worker.postMessage('stop')
    const inTime = await Promise.race([exited, sleep(stopMs, undefined, { ref: false })])
    if (inTime !== undefined) return
    // It waits for a database or a provider that does not answer. What it had begun is taken back with its connection.
    this.#log.warn(`a thread of the background work was ended, as it did not end by itself within ${stopMs} ms`)
    await this.#worker.terminate()
  }

  #begin(): Worker {
    const worker = this.#open()
    worker.on('message', (message: unknown) => {
      const fact = factOf(message)
      if (fact !== undefined) return this.#observer.note(fact)
      if (message !== 'idle') return undefined
      this.isBusy = false
      return this.onIdle()
    })
    // An error that nobody listens for would end the process: saves and searches go on meanwhile.
    worker.on('error', (error) => {
      const told = asUpdated(error)
      this.#isUpdated = told !== error
      this.#log.error('a thread of the background work ended', told)
    })
    worker.on('exit', () => {
      this.isBusy = false
      if (this.#isStopping || this.#isUpdated) return
      this.#observer.note({ kind: 'thread_ended' })
      this.#restart = setTimeout(() => {
        this.#restart = undefined
        this.#worker = this.#begin()
        this.wake()
      }, restartMs).unref()
    })
    return worker
  }
}
