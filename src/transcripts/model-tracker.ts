import type { ContextSwitch } from '../model/messages/message.ts'

/** Notices a change of model. The first model of a session is no change. */
export class ModelTracker {
  #current: string | undefined

  see(model: string | undefined): ContextSwitch | undefined {
    if (model === undefined || model === this.#current) return undefined
    const changed = this.#current !== undefined
    this.#current = model
    return changed ? 'model' : undefined
  }
}
