/** A map of bounded size: what was set longest ago is forgotten first. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size > this.#max && oldest.done !== true) this.#entries.delete(oldest.value)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Whether the key was there. */
  delete(key: K): boolean {
    return this.#entries.delete(key)
  }
}
