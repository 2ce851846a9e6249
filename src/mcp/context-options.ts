import { limits } from '../limits.ts'

/** How the context of a session is asked for as a resource. */
export const contextOptions = { maxTokens: limits.resultTokensDefault, format: 'json' } as const
