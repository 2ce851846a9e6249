import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { ConnectionOptions } from '../store/embedded/connection-options.ts'
import type { Background } from '../store/embedded/daemon.ts'

/**
 * Starts the background work of an embedded store in a thread of its own: reading text costs time that the thread which
 * serves the store's socket does not have.
 */
export async function startBackground(connection: ConnectionOptions, archive: string): Promise<Background> {
  const thread = new Worker(new URL('./background-thread.js', import.meta.url), { workerData: { connection, archive } })
  await once(thread, 'online')
  // At the start there may be work that an earlier process left.
  let busy = true
  thread.on('message', (message: unknown) => {
    if (message === 'idle') busy = false
  })
  const wake = () => {
    busy = true
    thread.postMessage('wake')
  }
  wake()
  return {
    wake,
    busy: () => busy,
    stop: async () => {
      const exited = once(thread, 'exit')
      thread.postMessage('stop')
      await exited
    },
  }
}
