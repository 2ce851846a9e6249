import { z } from 'zod'

/** Who speaks. `custom` is everything an agent records that is not a turn: events, markers, unknown entries. */
export const roleSchema = z.enum(['user', 'assistant', 'system', 'tool', 'developer', 'custom'])
export type Role = z.infer<typeof roleSchema>

/** How far a reader should trust a message's text: the person who owns the store, an agent, a tool's output, anything else. */
export const trustSchema = z.enum(['owner', 'agent', 'tool', 'external'])
export type Trust = z.infer<typeof trustSchema>

/** Tokens that a message adds to its session's totals. Counts, never negative; an absent part counts as 0. */
export interface TokenUsage {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
}

/**
 * What changed the context of the model that reads the conversation: another model, a compaction of what it sees,
 * a reset, or a move to another branch. Each one counts as one context switch of its session.
 */
export type ContextSwitch = 'model' | 'compaction' | 'reset' | 'branch'

/** The trust that a message gets from its role when the caller says nothing else. */
export function trustOfRole(role: Role): Trust {
  switch (role) {
    case 'user':
    case 'system':
    case 'developer':
      return 'owner'
    case 'assistant':
      return 'agent'
    case 'tool':
      return 'tool'
    case 'custom':
      return 'external'
    default:
      return role satisfies never
  }
}
