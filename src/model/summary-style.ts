/**
 * - `brief`: a few sentences
 * - `detailed`: as many as the budget holds
 * - `decisions`: only what was decided, promised, ruled out
 * - `handoff`: what the next one needs: the newest state, open questions, next steps, files and errors by name
 */
export const summaryStyles = ['brief', 'detailed', 'decisions', 'handoff'] as const

export type SummaryStyle = (typeof summaryStyles)[number]
