/**
 * A place among the requests that are worked on at once. It is given back when the request was left, as it is answered or was broken
 * off, and nothing of it is being worked on any more: what a client does not wait for takes the machine's time all the same.
 */
export class Place {
  readonly #giveBack: () => void
  #last: Promise<unknown> = Promise.resolve()
  #working = 0
  #isLeft = false
  #isGivenBack = false

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
  }

  /** Works in this place. A batch has one place, so its entries are worked on one after the other. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#working++
    const done = this.#last.then(work)
    // Its failure is told to who waits for it, below; the next one begins all the same.
    this.#last = Promise.allSettled([done])
    try {
      return await done
    } finally {
      this.#working--
      this.#giveBackIfOver()
    }
  }

  /** To be called once. What begins after it, such as a look for a stream of notices, has no place and needs none. */
  leave(): void {
    this.#isLeft = true
    this.#giveBackIfOver()
  }

  #giveBackIfOver(): void {
    if (!this.#isLeft || this.#working > 0 || this.#isGivenBack) return
    this.#isGivenBack = true
    this.#giveBack()
  }
}
