import type { MessagePort } from 'node:worker_threads'

import { z } from 'zod'

import { observerOf, type Fact, type Observer } from '../ports/observer.ts'

/** A thread sends what it observed, and its process counts it. */
export function threadObserver(port: MessagePort): Observer {
  return observerOf((fact) => {
    // The connections of a thread are few and always the same; the gauge is of the pool for clients.
    if (fact.kind !== 'connections') port.postMessage({ fact })
  })
}

/** Only our own threads send these, and what they send they have made as a Fact. */
const messageSchema = z.object({ fact: z.custom<Fact>((value) => typeof value === 'object' && value !== null) })

/** What a thread observed, or undefined where its message is another one. */
export function factOf(message: unknown): Fact | undefined {
  return messageSchema.safeParse(message).data?.fact
}
