import { InputError } from '../errors.ts'
import type { Scope } from '../model/access.ts'
import type { ToolDefinition } from './define-tool.ts'
import { forget } from './tools/forget.ts'
import { getSession } from './tools/get-session.ts'
import { listSessions } from './tools/list-sessions.ts'
import { recallContext } from './tools/recall-context.ts'
import { saveMessage } from './tools/save-message.ts'
import { saveMessages } from './tools/save-messages.ts'
import { searchMemory } from './tools/search-memory.ts'
import { summarize } from './tools/summarize.ts'
import { updateFact } from './tools/update-fact.ts'
import { updateSession } from './tools/update-session.ts'

/** Every tool, in the order in which clients list them. */
export const allTools: readonly ToolDefinition[] = [
  saveMessage,
  saveMessages,
  searchMemory,
  getSession,
  listSessions,
  summarize,
  recallContext,
  updateSession,
  updateFact,
  forget,
]

export interface ToolSelection {
  /** Leaves out every tool that writes. */
  readonly readOnly: boolean
  /** Names of the only tools to offer; absent offers all. */
  readonly only?: readonly string[] | undefined
  /** What the caller may do; absent for everything. */
  readonly scopes?: readonly Scope[] | undefined
}

export function isToolName(name: string): boolean {
  return allTools.some((tool) => tool.name === name)
}

/** What a caller must be allowed to call a tool. */
export function scopeOf({ annotations }: ToolDefinition): Scope {
  if (annotations.readOnlyHint) return 'memory:read'
  return annotations.destructiveHint ? 'memory:delete' : 'memory:write'
}

/** The tools that a server offers. Throws InputError for a name that is no tool. */
export function selectTools(selection: ToolSelection): readonly ToolDefinition[] {
  const names = allTools.map(({ name }) => name)
  for (const name of selection.only ?? []) {
    if (!names.includes(name)) {
      throw new InputError(`Cannot offer the tool "${name}" as there is no such tool`, {
        remedy: `Choose from: ${names.join(', ')}`,
      })
    }
  }
  return allTools.filter(
    (tool) =>
      (!selection.readOnly || tool.annotations.readOnlyHint) &&
      (selection.only === undefined || selection.only.includes(tool.name)) &&
      (selection.scopes?.includes(scopeOf(tool)) ?? true),
  )
}
