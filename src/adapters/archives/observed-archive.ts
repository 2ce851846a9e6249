import type { ArchiveStore, ErasedObjects, ErasureNotes } from '../../ports/archive-store.ts'
import type { Observer } from '../../ports/observer.ts'

/** An archive whose every call is told to an observer; a list is not, as it is read at the pace of whoever asks. */
export class ObservedArchive implements ArchiveStore {
  readonly #inner: ArchiveStore
  readonly #provider: string
  readonly #observer: Observer

  constructor(inner: ArchiveStore, provider: string, observer: Observer) {
    this.#inner = inner
    this.#provider = provider
    this.#observer = observer
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#during(() => this.#inner.put(key, bytes))
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#during(() => this.#inner.get(key))
  }

  delete(key: string): Promise<void> {
    return this.#during(() => this.#inner.delete(key))
  }

  erase(name: string, notes?: ErasureNotes, signal?: AbortSignal): Promise<ErasedObjects> {
    return this.#during(() => this.#inner.erase(name, notes, signal))
  }

  list(prefix: string): AsyncIterable<string> {
    return this.#inner.list(prefix)
  }

  check(): Promise<void> {
    return this.#during(() => this.#inner.check())
  }

  #during<T>(work: () => Promise<T>): Promise<T> {
    return this.#observer.during({ kind: 'provider', provider: this.#provider, call: 'objects' }, work)
  }
}
