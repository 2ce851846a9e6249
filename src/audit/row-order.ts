/** A late row's transaction was long over by then: none of ours takes so long. */
const lateMsMax = 3_600_000

interface SealedMoment {
  readonly sealedAtMs: number
  readonly sealedIn: bigint
}

/**
 * Tells rows that were put among older ones. Numbers are given out in order, and a row gets its number in a transaction that has
 * its own: so a row with a lower number than one that was sealed before it comes from a transaction that had begun before
 * that seal was made.
 */
export class RowOrder {
  /** The highest row of all seals so far, where it grew, in ascending order; and the seals in which it did. */
  readonly #highest: number[] = []
  readonly #moments: SealedMoment[] = []

  /** Whether a row may be in a seal that was made now. To be asked before the seal is added. */
  allows(row: { readonly id: number; readonly writtenIn: string }, now: SealedMoment): boolean {
    const passedBy = this.#moments[this.#firstAbove(row.id)]
    if (passedBy === undefined) return true
    return BigInt(row.writtenIn) < passedBy.sealedIn && now.sealedAtMs - passedBy.sealedAtMs < lateMsMax
  }

  add(highestId: number, moment: SealedMoment): void {
    if (highestId <= (this.#highest.at(-1) ?? 0)) return
    this.#highest.push(highestId)
    this.#moments.push(moment)
  }

  #firstAbove(id: number): number {
    let low = 0
    let high = this.#highest.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#highest[middle] ?? 0) > id) high = middle
      else low = middle + 1
    }
    return low
  }
}
