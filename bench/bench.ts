import type { BenchResult } from './figure.ts'

export interface BenchOptions {
  /** Smaller sizes and fewer rounds: to see that a bench runs, not to quote. */
  readonly quick: boolean
  /** Messages of the stores that a search is measured in, ascending; the bench's own where absent. */
  readonly sizes?: readonly number[] | undefined
  /** Says on stderr what is being done. */
  readonly say: (text: string) => void
}

export interface Bench {
  readonly name: string
  readonly run: (options: BenchOptions) => Promise<BenchResult>
}
