import { z } from 'zod'

import { renderSummary } from '../../insight/summaries/render-summary.ts'
import { limits } from '../../limits.ts'
import { summaryStyles } from '../../model/summary-style.ts'
import { defineTool, readsOnly } from '../define-tool.ts'

const time = z.string().optional()

export const summarize = defineTool({
  name: 'summarize',
  title: 'Summarize a session',
  description:
    'Summarize (recap, hand over) a past conversation or part of it; without session_id, what all say of a query or time. Sentences cite messages.',
  input: z.object({
    session_id: z.string().optional(),
    query: z.string().optional(),
    from_seq: z.number().int().min(1).optional(),
    to_seq: z.number().int().min(1).optional(),
    since: time,
    until: time,
    style: z.enum(summaryStyles).default('brief'),
    max_tokens: z.number().int().min(300).max(limits.resultTokensMax).default(limits.summaryTokensDefault),
    refresh: z.boolean().optional(),
    format: z.enum(['text', 'json']).default('text'),
  }),
  annotations: readsOnly,
  run: async ({ verbatim, caller, readOnly }, args) => {
    const { session_id: sessionId, from_seq: fromSeq, to_seq: toSeq, max_tokens: maxTokens, format, ...rest } = args
    const range = { sessionId, fromSeq, toSeq }
    const refresh = args.refresh === true
    const made = await verbatim.summarize(caller, { ...rest, ...range, refresh, maxTokens, keep: !readOnly })
    // The summariser is loaded with the store, after the tools were listed.
    const { fitSummary } = await import('../../insight/summaries/fit-summary.ts')
    const reply = await fitSummary(made, { format, maxTokens, style: args.style })
    return format === 'text' ? { text: renderSummary(reply) } : { structured: { ...reply } }
  },
})
