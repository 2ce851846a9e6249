export interface ErasedObjects {
  /** How many objects, or versions of them, are gone. */
  readonly erased: number
  /** Keys of those that the store keeps. */
  readonly kept: readonly string[]
}

/**
 * Is told what an erasure does, a bounded lot at a time. A name stands for one object, or one version of it, and begins with its
 * key; what follows after a blank tells versions apart. Another erasure of the same names it as this one did.
 */
export interface ErasureNotes {
  /** Nothing of a lot is erased before this has resolved. */
  before(names: readonly string[]): Promise<void>
  /** Those of the lot that are gone; the others are kept. */
  after(lot: { readonly names: readonly string[]; readonly gone: readonly string[] }): Promise<void>
}

/**
 * Immutable objects by key: large payloads, the segments of sessions and their manifests. A key is relative, made of
 * `[a-z0-9._-]` segments joined by `/`.
 */
export interface ArchiveStore {
  /**
   * Stores an object durably: when the promise resolves the bytes survive a power cut. Putting the same bytes again
   * succeeds. Throws ConflictError where the key holds other bytes, UnavailableError where the store does not answer.
   */
  put(key: string, bytes: Uint8Array): Promise<void>
  /** The object's bytes, or undefined where there is none. Throws UnavailableError. */
  get(key: string): Promise<Uint8Array | undefined>
  /** Removes an object; removing one that is not there succeeds. */
  delete(key: string): Promise<void>
  /**
   * Erases an object, or, where the name ends with `/`, every object below it, former versions and what was left of broken
   * writes included. What the store does not let go (Object Lock, say) is named and not an error. Throws UnavailableError; to
   * repeat it goes on. Once the signal has fired it begins nothing more.
   */
  erase(name: string, notes?: ErasureNotes, signal?: AbortSignal): Promise<ErasedObjects>
  /** All keys below a prefix, in ascending order of their bytes. */
  list(prefix: string): AsyncIterable<string>
  /** Throws UnavailableError where no object could be stored. */
  check(): Promise<void>
}
