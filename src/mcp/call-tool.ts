import { randomUUID } from 'node:crypto'

import { z } from 'zod'

import { explain, VerbatimError } from '../errors.ts'
import type { Log } from '../log.ts'
import { isJsonObject } from '../model/json/json.ts'
import { unobserved, type Observer } from '../ports/observer.ts'
import { asUpdated } from '../updated.ts'
import { describeIssues, readArguments } from './arguments.ts'
import type { ToolContext, ToolDefinition, ToolReply } from './define-tool.ts'
import type { Params } from './protocol-answers.ts'
import { traceIdOf, traceOf } from './trace-parent.ts'

/** A tool result as the protocol carries it, in every era. */
export interface ToolResult {
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
  [key: string]: unknown
}

function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

/**
 * The text of an error that a caller may see. Our own errors and the schema's are written for callers; anything else is
 * a defect, shown as an id that finds it in the log, because its text may hold stored words, SQL or paths.
 */
export function describeError(thrown: unknown, log: Log): string {
  const error = asUpdated(thrown)
  if (error instanceof VerbatimError) return explain(error)
  if (error instanceof z.ZodError) return `Invalid arguments: ${describeIssues(error)}`
  const id = randomUUID().slice(0, 8)
  log.error(`internal error ${id}`, error)
  return `internal error ${id}. The server's log (stderr) says more`
}

function toResult(reply: ToolReply): ToolResult {
  if ('text' in reply) return { content: [{ type: 'text', text: reply.text }] }
  // Hosts that show both members drop the text only where it is exactly this copy.
  return {
    content: [{ type: 'text', text: JSON.stringify(reply.structured, null, 2) }],
    structuredContent: { ...reply.structured },
  }
}

interface ToolCall {
  readonly params: Params
  readonly log: Log
  readonly observer?: Observer | undefined
}

/** Runs a tool and never throws: what goes wrong is a result that says what, and what to do. */
export async function callTool(tool: ToolDefinition, context: ToolContext, call: ToolCall): Promise<ToolResult> {
  const { params, log, observer = unobserved } = call
  try {
    const reply = await observer.during(
      { kind: 'tool', tool: tool.name },
      async () =>
        await context.verbatim.recorded(
          context.caller,
          {
            action: 'call.tool',
            tool: tool.name,
            writes: !tool.annotations.readOnlyHint,
            traceId: traceIdOf(params),
          },
          async (caller) =>
            await tool.run({ ...context, caller }, readArguments(tool.inputSchema, params?.['arguments'])),
        ),
      {
        parent: traceOf(params),
        ended: ({ outcome, ms }) => log.info('tool call', { tool: tool.name, outcome, ms: roundedMs(ms) }),
      },
    )
    return toResult(reply)
  } catch (error) {
    return errorResult(describeError(error, log))
  }
}

/** A save whose first message has number 1 has opened a session. */
export function opensSession(result: ToolResult): boolean {
  const saved = result.structuredContent
  if (saved === undefined) return false
  const messages: unknown = saved['messages']
  const first: unknown = Array.isArray(messages) ? messages[0] : saved
  return isJsonObject(first) && first['seq'] === 1 && first['duplicate'] === false
}

/** To the microsecond. */
function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
