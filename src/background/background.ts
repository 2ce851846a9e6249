import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { Background } from '../store/embedded/daemon.ts'
import type { ThreadSettings } from './thread-database.ts'

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

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (message: unknown) => {
      if (message !== 'idle') return
      this.isBusy = false
      this.onIdle()
    })
  }

  static async start(file: URL, settings: ThreadSettings): Promise<BackgroundThread> {
    const worker = new Worker(file, { workerData: settings })
    await once(worker, 'online')
    return new BackgroundThread(worker)
  }

  wake(): void {
    this.isBusy = true
    this.#worker.postMessage('wake')
  }

  async stop(): Promise<void> {
    const exited = once(this.#worker, 'exit')
    this.#worker.postMessage('stop')
    await exited
  }
}
