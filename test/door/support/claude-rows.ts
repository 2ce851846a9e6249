/** A row of a Claude Code session, as its client writes it. */
export function claudeRow(session: string, number: number, text = 'what was said'): string {
  return `${JSON.stringify({
    type: 'user',
    uuid: `${session} ${number}`,
    parentUuid: number === 1 ? null : `${session} ${number - 1}`,
    sessionId: session,
    timestamp: new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString(),
    message: { role: 'user', content: `${text} ${number}` },
  })}\n`
}

/** Its rows from one number to another. */
export function claudeRows(session: string, first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, index) => claudeRow(session, first + index)).join('')
}
