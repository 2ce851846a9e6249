import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { processEnvironment } from '../config.ts'
import type { Background } from '../store/embedded/daemon.ts'
import type { ThreadSettings } from './thread-database.ts'
import { threadLog } from './thread-log.ts'

/** The environment that the threads read their settings from; default: that of this process. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * Starts the background work of a store in threads of its own: reading text and making vectors cost time that the thread
 * which serves clients does not have.
 */
export async function startBackground(settings: ThreadSettings, environment?: Environment): Promise<Background> {
  const start = (file: string) => BackgroundThread.start(file, settings, environment)
  if (!settings.works) {
    const embedding = await start('embedding-thread.js')
    embedding.wake()
    return { wake: () => undefined, busy: () => false, stop: () => embedding.stop() }
  }
  const indexing = await start('background-thread.js')
  // At the start there may be work that an earlier process left, and the first search waits for it.
  indexing.wake()
  const embedding = await start('embedding-thread.js')
  embedding.wake()
  // What was indexed is embedded next.
  indexing.onIdle = () => embedding.wake()
  return {
    wake: () => indexing.wake(),
    busy: () => indexing.isBusy || embedding.isBusy,
    stop: async () => {
      await Promise.all([indexing.stop(), embedding.stop()])
    },
  }
}

/** Threads need JavaScript, also where this module itself runs from its source, as in tests and benches. */
function compiledThread(file: string): URL {
  return new URL(`../../dist/background/${file}`, import.meta.url)
}

/** A thread that is woken, says when it has nothing to do, and stops when it is told. */
class BackgroundThread {
  readonly #worker: Worker
  isBusy = true
  onIdle: () => void = () => undefined
  #isEnded = false

  private constructor(worker: Worker, onError: (error: Error) => void) {
    this.#worker = worker
    worker.on('message', (message: unknown) => {
      if (message !== 'idle') return
      this.isBusy = false
      this.onIdle()
    })
    // An error that nobody listens for would end the daemon: saves and searches go on without this thread.
    worker.on('error', (error) => onError(error))
    worker.on('exit', () => {
      this.#isEnded = true
      this.isBusy = false
    })
  }

  static async start(
    file: string,
    settings: ThreadSettings,
    environment: Environment = processEnvironment(),
  ): Promise<BackgroundThread> {
    // What a library prints must not get to the stdout of a process that speaks a protocol there.
    const worker = new Worker(compiledThread(file), { workerData: settings, env: { ...environment }, stdout: true })
    worker.stdout.pipe(process.stderr)
    const log = threadLog(settings)
    const thread = new BackgroundThread(worker, (error) => log.error('a thread of the background work ended', error))
    await once(worker, 'online')
    return thread
  }

  wake(): void {
    if (this.#isEnded) return
    this.isBusy = true
    this.#worker.postMessage('wake')
  }

  async stop(): Promise<void> {
    if (this.#isEnded) return
    const exited = once(this.#worker, 'exit')
    this.#worker.postMessage('stop')
    await exited
  }
}
