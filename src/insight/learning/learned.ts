import type { Caller } from '../../model/access.ts'
import { changeFact, resetFacts, type FactChange, type FactStores } from './change-fact.ts'
import { listFacts, showFact, type FactDocument, type FactList, type ListFactsInput } from './list-facts.ts'
import { readProfileOf, type Profile } from './profile.ts'

/** What was learned, for one caller: to be seen, corrected, pinned and deleted. */
export class Learned {
  readonly #stores: FactStores
  readonly #caller: Caller

  constructor(stores: FactStores, caller: Caller) {
    this.#stores = stores
    this.#caller = caller
  }

  list(input: ListFactsInput): Promise<FactList> {
    return listFacts(this.#stores.database, this.#caller, input)
  }

  show(id: string): Promise<FactDocument> {
    return showFact(this.#stores.database, this.#caller, id)
  }

  change(change: FactChange & { readonly id: string }): Promise<FactDocument | undefined> {
    return changeFact(this.#stores, this.#caller, change)
  }

  reset(): Promise<{ readonly forgotten: number; readonly messages: number }> {
    return resetFacts(this.#stores.database, this.#caller)
  }

  profile(cursor?: string): Promise<Profile> {
    return readProfileOf(this.#stores.database, this.#caller, cursor)
  }
}
