import type { Tools } from './tools.ts'

/** Saves what somebody said, each in a session of its own and later than the one before. */
export async function sayInTurn(tools: Tools, sender: string, contents: readonly string[]): Promise<void> {
  for (const [day, content] of contents.entries())
    await tools.save({
      session_id: `${sender} ${day}`,
      sender,
      content,
      timestamp: `2026-01-${String(day + 1).padStart(2, '0')}T00:00:00Z`,
    })
}
