import type { BenchResult } from './figure.ts'

export interface BenchOptions {
  /** Smaller sizes and fewer rounds: to see that a bench runs, not to quote. */
  readonly quick: boolean
  /** Says on stderr what is being done. */
  readonly say: (text: string) => void
}

export interface Bench {
  readonly name: string
  readonly run: (options: BenchOptions) => Promise<BenchResult>
}
