import type { z } from 'zod'

import type { Condition, Filter, vectorSchema } from './pinecone-schemas.ts'

export type Stored = z.infer<typeof vectorSchema>

/** When a write can be found: at once, after so many ms, after so many reads, or when the test says so. */
export type Lag = 'none' | 'manual' | { readonly ms: number } | { readonly reads: number }

interface Write {
  readonly lsn: number
  readonly at: number
  readsLeft: number
  apply(vectors: Map<string, Stored>): void
}

/** The records of a namespace: a log of writes, of which the first so many are in what can be found. */
export class PineconeNamespace {
  readonly #vectors = new Map<string, Stored>()
  #pending: Write[] = []
  #lsn = 0
  #indexedLsn = 0

  get indexedLsn(): number {
    return this.#indexedLsn
  }

  get isEmpty(): boolean {
    return this.#vectors.size === 0 && this.#pending.length === 0
  }

  /** Takes a write and answers its number. */
  write(apply: Write['apply'], lag: Lag): number {
    this.#lsn += 1
    const readsLeft = typeof lag === 'object' && 'reads' in lag ? lag.reads : 0
    this.#pending.push({ lsn: this.#lsn, at: Date.now(), readsLeft, apply })
    if (lag === 'none') this.settle()
    return this.#lsn
  }

  /** What can be found now; looking is what lets time pass where the lag counts reads. */
  read(lag: Lag): ReadonlyMap<string, Stored> {
    for (const write of this.#pending) write.readsLeft -= 1
    const isDue = (write: Write): boolean => {
      if (lag === 'none') return true
      if (lag === 'manual') return false
      return 'ms' in lag ? write.at + lag.ms <= Date.now() : write.readsLeft < 0
    }
    while (this.#pending[0] !== undefined && isDue(this.#pending[0])) this.#applyFirst()
    return this.#vectors
  }

  settle(): void {
    while (this.#pending.length > 0) this.#applyFirst()
  }

  #applyFirst(): void {
    const write = this.#pending.shift()
    write?.apply(this.#vectors)
    this.#indexedLsn = write?.lsn ?? this.#indexedLsn
  }
}

export function cosineOf(a: readonly number[], b: readonly number[]): number {
  let [dot, lengthA, lengthB] = [0, 0, 0]
  for (const [at, x] of a.entries()) {
    const y = b[at] ?? 0
    dot += x * y
    lengthA += x * x
    lengthB += y * y
  }
  return Math.fround(dot / Math.sqrt(lengthA * lengthB))
}

export function matches(metadata: Stored['metadata'], filter: Filter): boolean {
  return (
    Object.entries(filter.fields).every(([name, condition]) => holds(metadata?.[name], condition)) &&
    (filter.$and ?? []).every((part) => matches(metadata, part)) &&
    (filter.$or?.some((part) => matches(metadata, part)) ?? true)
  )
}

type Value = string | number | boolean | string[] | undefined

function holds(value: Value, condition: Condition): boolean {
  if (typeof condition !== 'object') return value === condition
  if ('$eq' in condition) return value === condition.$eq
  if ('$ne' in condition) return value !== condition.$ne
  if ('$in' in condition) return condition.$in.some((wanted) => wanted === value)
  if ('$nin' in condition) return !condition.$nin.some((wanted) => wanted === value)
  if (typeof value !== 'number') return false
  if ('$gte' in condition) return value >= condition.$gte
  if ('$lte' in condition) return value <= condition.$lte
  if ('$gt' in condition) return value > condition.$gt
  return value < condition.$lt
}
