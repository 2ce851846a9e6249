import type { ContextSwitch } from '../model/messages/message.ts'

/** Notices branches: a second child of one parent is an edited prompt, a regenerated answer or a rewind. */
export class BranchTracker {
  readonly #parents = new Set<string>()

  see(parentId: string | undefined): ContextSwitch | undefined {
    if (parentId === undefined) return undefined
    if (this.#parents.has(parentId)) return 'branch'
    this.#parents.add(parentId)
    return undefined
  }
}
