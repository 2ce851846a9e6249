import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import type { Tools } from './tools.ts'

const statusSchema = z.looseObject({
  semantic_search: z.looseObject({
    state: z.string(),
    vectors: z.number(),
    messages_behind: z.number(),
    failed_for_good: z.number(),
    tokens_today: z.number(),
    model: z.looseObject({ provider: z.string(), dimensions: z.number() }).optional(),
    waits_for: z.string().optional(),
  }),
})

export type SemanticStatus = z.output<typeof statusSchema>['semantic_search']

export async function semanticStatus(tools: Tools): Promise<SemanticStatus> {
  const { contents } = await tools.client.readResource({ uri: 'memory://status' })
  const [first] = z.array(z.object({ text: z.string() })).parse(contents)
  return statusSchema.parse(JSON.parse(first?.text ?? '')).semantic_search
}

/** Until the store says what is expected of it; the local model takes seconds to load on a busy machine. */
export async function until(tools: Tools, holds: (status: SemanticStatus) => boolean): Promise<SemanticStatus> {
  for (const deadline = performance.now() + 90_000; ;) {
    const status = await semanticStatus(tools)
    if (holds(status) || performance.now() > deadline) return status
    await sleep(100)
  }
}
