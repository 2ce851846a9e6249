/** The sample below which a part of all samples lies (nearest rank); `part` is 0 … 1. Throws where there is no sample. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * part) - 1))]
  if (value === undefined) throw new Error('Cannot take a percentile of no samples: measure at least one')
  return value
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Milliseconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

export interface Contender {
  readonly name: string
  /** Done before each run and not timed. */
  readonly prepare?: () => Promise<unknown>
  readonly run: (round: number) => Promise<unknown>
}

/**
 * Times contenders in turns, A B C A B C …, and returns the milliseconds of each. What disturbs the machine meanwhile
 * then disturbs all of them alike: the same insert took 0.2 to 2.5 ms over one day, so only ratios within a run count.
 */
export async function interleave(
  contenders: readonly Contender[],
  options: { readonly rounds: number; readonly warmUp?: number },
): Promise<readonly (readonly number[])[]> {
  const warmUp = options.warmUp ?? 0
  const samples = contenders.map((): number[] => [])
  for (let round = 0; round < warmUp + options.rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      await contender.prepare?.()
      const took = await timed(() => contender.run(round))
      if (round >= warmUp) samples[index]?.push(took)
    }
  }
  return samples
}

/** Numbers from 0 to 1 that are the same in every run (Mulberry32), so that two runs measure the same work. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function pick<T>(values: readonly T[], random: () => number): T {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new Error('Cannot pick from an empty list')
  return value
}
