import { z } from 'zod'

import type { Scope } from '../model/access.ts'
import type { ToolDefinition } from './define-tool.ts'
import { scopeOfUri } from './recorded-request.ts'
import { scopeOf } from './tool-list.ts'

/** What shows something of the memory; what only says what the server can do needs no scope. */
const readingMethods: readonly string[] = [
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'subscriptions/listen',
  'prompts/get',
  'completion/complete',
]

const requestSchema = z.object({
  method: z.string(),
  params: z.object({ name: z.unknown(), uri: z.unknown() }).partial().optional().catch(undefined),
})

/** The scopes without which one request, or a batch of them, cannot be answered. A tool that is not on offer needs none. */
export function neededScopes(body: unknown, offered: readonly ToolDefinition[]): ReadonlySet<Scope> {
  const requests = (Array.isArray(body) ? body : [body]).flatMap((one) => requestSchema.safeParse(one).data ?? [])
  return new Set(
    requests.flatMap(({ method, params }): Scope[] => {
      if (readingMethods.includes(method)) return [scopeOfUri(params?.uri)]
      const tool = method === 'tools/call' ? offered.find(({ name }) => name === params?.name) : undefined
      return tool === undefined ? [] : [scopeOf(tool)]
    }),
  )
}
