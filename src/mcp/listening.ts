import { z } from 'zod'

import type { ProtocolServer } from './protocol.ts'

export const listenSchema = z.object({
  method: z.literal('subscriptions/listen'),
  params: z.object({ notifications: z.object({ resourceSubscriptions: z.array(z.string()) }) }),
})

const cancelSchema = z.object({ method: z.literal('notifications/cancelled') })

/** What passes a message on, and what says that a resource has changed. */
interface Passing {
  readonly on: () => void
  readonly tell: (uri: string) => void
}

/**
 * Holds a `subscriptions/listen` back until what it asks for is watched, as it is acknowledged at once when it is passed on; and what
 * cancels one meanwhile. What changed in between is told again after that.
 */
export class Listening {
  readonly #protocol: ProtocolServer
  readonly #report: (error: unknown) => void
  readonly #early = new Set<string>()
  #beginning: Promise<void> = Promise.resolve()
  #count = 0

  constructor(protocol: ProtocolServer, report: (error: unknown) => void) {
    this.#protocol = protocol
    this.#report = report
  }

  /** A resource has changed. */
  note(uri: string): void {
    if (this.#count > 0) this.#early.add(uri)
  }

  /** Passes a message on, in its time. */
  pass(message: unknown, { on, tell }: Passing): void {
    const { data: listen } = listenSchema.safeParse(message)
    if (listen === undefined) {
      if (this.#count > 0 && cancelSchema.safeParse(message).success) void this.#beginning.then(on)
      else on()
      return
    }
    this.#count++
    this.#beginning = this.#begin(listen.params.notifications.resourceSubscriptions, { on, tell }).catch(this.#report)
  }

  async #begin(uris: readonly string[], { on, tell }: Passing): Promise<void> {
    const subscribe = this.#protocol.handlers['resources/subscribe']
    await Promise.all([this.#beginning, ...uris.map(async (uri) => await subscribe({ uri }).catch(this.#report))])
    this.#count--
    on()
    for (const uri of uris) if (this.#early.has(uri)) tell(uri)
    if (this.#count === 0) this.#early.clear()
  }
}
