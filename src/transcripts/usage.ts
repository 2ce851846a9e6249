import type { TokenUsage } from '../model/messages/message.ts'

/** All four counts, so that they can be compared. */
export type FullUsage = Required<TokenUsage>

const noUsage: FullUsage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }

const parts = ['input', 'output', 'cacheRead', 'cacheWrite'] as const

/** For formats that repeat the usage of one answer: the answer counts with the largest values, given as differences. */
export class UsageMaxima {
  readonly #maxima = new Map<string, FullUsage>()

  /** What these counts add to those of the same answer so far; undefined where they add nothing. Without a key, all of them. */
  contribution(key: string | undefined, usage: FullUsage): TokenUsage | undefined {
    if (key === undefined) return orNothing(usage)
    const known = this.#maxima.get(key) ?? noUsage
    this.#maxima.set(key, combine(known, usage, Math.max))
    return orNothing(combine(usage, known, (now, before) => Math.max(0, now - before)))
  }
}

/** For formats that write running totals: each step is the difference to the one before. */
export class UsageTotals {
  #total = noUsage

  contribution(total: FullUsage): TokenUsage | undefined {
    const before = this.#total
    this.#total = total
    // A total that shrinks is a counter that began again.
    const restarted = parts.some((part) => total[part] < before[part])
    return orNothing(restarted ? total : combine(total, before, (now, then) => now - then))
  }
}

function combine(left: FullUsage, right: FullUsage, operation: (left: number, right: number) => number): FullUsage {
  return {
    input: operation(left.input, right.input),
    output: operation(left.output, right.output),
    cacheRead: operation(left.cacheRead, right.cacheRead),
    cacheWrite: operation(left.cacheWrite, right.cacheWrite),
  }
}

function orNothing(usage: FullUsage): TokenUsage | undefined {
  return parts.every((part) => usage[part] === 0) ? undefined : usage
}
