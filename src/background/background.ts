import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { Background } from '../store/embedded/daemon.ts'
import type { ThreadSettings } from './thread-database.ts'
import { threadLog } from './thread-log.ts'

/**
 * Starts the background work of an embedded store in threads of its own: reading text and making vectors cost time that the
 * thread which serves the store's socket does not have.
 */
export async function startBackground(settings: ThreadSettings): Promise<Background> {
  const indexing = await BackgroundThread.start(new URL('./background-thread.js', import.meta.url), settings)
  // At the start there may be work that an earlier process left, and the first search waits for it.
  indexing.wake()
  const embedding = await BackgroundThread.start(new URL('./embedding-thread.js', import.meta.url), settings)
  // What was indexed is embedded next.
  indexing.onIdle = () => embedding.wake()
  embedding.wake()
  return {
    wake: () => indexing.wake(),
    busy: () => indexing.isBusy || embedding.isBusy,
    stop: async () => {
      await Promise.all([indexing.stop(), embedding.stop()])
    },
  }
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

  static async start(file: URL, settings: ThreadSettings): Promise<BackgroundThread> {
    const worker = new Worker(file, { workerData: settings })
    const log = threadLog(settings.home)
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
