/** Runs pieces of work with the same key one after the other, in the order in which they were given; others run beside them. */
export class InOrder {
  readonly #last = new Map<string, Promise<unknown>>()

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    // What was given before may have failed: that is its caller's affair.
    const result = before === undefined ? work() : before.then(work, work)
    this.#last.set(key, result)
    const forget = () => {
      if (this.#last.get(key) === result) this.#last.delete(key)
    }
    result.then(forget, forget)
    return result
  }
}
