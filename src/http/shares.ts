/** While something is left, others find some: one may have three quarters where it is alone, three sevenths of two, and so on. */
const timesFreeMax = 3

/**
 * Divides a number of places, or of bytes, among tenants. What one has is at most three times what is free, so that who comes next
 * finds a place at once whatever others ask for (dynamic thresholds, as switches share their memory). A single thing is given
 * wherever it fits.
 */
export class Shares {
  readonly #held = new Map<number, number>()
  #free: number

  constructor(max: number) {
    this.#free = max
  }

  /** Whether the tenant got it. */
  take(tenantId: number, amount: number): boolean {
    const held = this.#held.get(tenantId) ?? 0
    const freeAfter = this.#free - amount
    if (freeAfter < 0 || (held > 0 && held + amount > timesFreeMax * freeAfter)) return false
    this.#free = freeAfter
    this.#held.set(tenantId, held + amount)
    return true
  }

  giveBack(tenantId: number, amount: number): void {
    const held = (this.#held.get(tenantId) ?? 0) - amount
    this.#free += amount
    if (held > 0) this.#held.set(tenantId, held)
    else this.#held.delete(tenantId)
  }
}
