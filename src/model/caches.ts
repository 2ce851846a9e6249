import { LRUCache } from 'lru-cache'

/** What a cache is called where its use is counted. */
export type CacheName =
  | 'rankings'
  | 'predictions'
  | 'recalls'
  | 'query_vectors'
  | 'query_expansions'
  | 'session_ids'
  | 'shown_hits'

export interface CacheEvents {
  lookedUp(cache: CacheName, isHit: boolean): void
  /** All that the process keeps under this name. */
  resized(cache: CacheName, sizeBytes: number): void
}

/** Things of one kind that are kept for some time. Keys begin with the tenant whose they are. */
export interface Cache<V> {
  get(key: string): V | undefined
  /** As `get`, where only a closer look tells whether what is there can be used: to be told with `count`. */
  peek(key: string): V | undefined
  count(isHit: boolean): void
  set(key: string, value: V): void
  /** Whether it was there. */
  delete(key: string): boolean
}

/** The key, the maps' own nodes and what stands around a value. */
const entryBytes = 300
const uncounted: CacheEvents = { lookedUp: () => undefined, resized: () => undefined }

/**
 * The caches of a process, all of them together within a number of bytes: what was used longest ago is forgotten first, whichever
 * cache it is in. Sizes are estimated.
 */
export class Caches {
  readonly #events: CacheEvents
  /** How to forget each thing, in the order of their use; undefined where nothing is to be kept. */
  readonly #recent: LRUCache<string, () => void> | undefined
  readonly #sizes = new Map<CacheName, number>()
  #opened = 0

  constructor(bytesMax: number, events: CacheEvents = uncounted) {
    this.#events = events
    if (bytesMax > 0) this.#recent = new LRUCache({ maxSize: bytesMax, dispose: (forget) => forget() })
  }

  /** A cache that is empty. `keptMs` is how long a thing may be used after it was set. */
  open<V>(
    name: CacheName,
    options: { readonly sizeOf: (value: V) => number; readonly keptMs?: number | undefined },
  ): Cache<V> {
    const recent = this.#recent
    const events = this.#events
    const values = new Map<string, V>()
    const prefix = `${this.#opened++} `
    const peek = (key: string) => (recent?.get(prefix + key) === undefined ? undefined : values.get(key))
    const remove = (key: string) => recent?.delete(prefix + key) ?? false
    return {
      peek,
      get(key) {
        const value = peek(key)
        events.lookedUp(name, value !== undefined)
        return value
      },
      count: (isHit) => events.lookedUp(name, isHit),
      set: (key, value) => {
        remove(key)
        if (recent === undefined) return
        const size = Math.ceil(options.sizeOf(value) + 4 * key.length + entryBytes)
        // The library drops what is larger than all of the room without telling.
        if (size > recent.maxSize) return
        values.set(key, value)
        this.#resize(name, size)
        const forget = () => {
          values.delete(key)
          this.#resize(name, -size)
        }
        recent.set(prefix + key, forget, { size, ...(options.keptMs === undefined ? {} : { ttl: options.keptMs }) })
      },
      delete: remove,
    }
  }

  #resize(name: CacheName, changeBytes: number): void {
    const size = (this.#sizes.get(name) ?? 0) + changeBytes
    this.#sizes.set(name, size)
    this.#events.resized(name, size)
  }
}
