import { ProviderError } from '../../ports/provider-error.ts'

export interface ExpectedVectors {
  readonly provider: string
  readonly count: number
  /** Undefined where nobody knows yet: then all must have as many as the first. */
  readonly dimensions: number | undefined
}

/**
 * A provider's answer as vectors of length 1. Throws ProviderError `malformed` where their number or dimensions are not
 * those expected, where a value is no number, or where all are zero: such a vector is as near to everything as to nothing.
 */
export function unitVectors(answer: readonly ArrayLike<number>[], expected: ExpectedVectors): Float32Array[] {
  const dimensions = expected.dimensions ?? answer.at(0)?.length ?? 0
  if (answer.length !== expected.count) throw new ProviderError(expected.provider, 'malformed')
  return answer.map((values) => {
    const vector = values.length === dimensions ? unitVector(values) : undefined
    if (vector === undefined) throw new ProviderError(expected.provider, 'malformed')
    return vector
  })
}

/** Undefined where no direction can be told. */
function unitVector(values: ArrayLike<number>): Float32Array | undefined {
  const vector = Float32Array.from(values)
  // The sum in double precision: of 16,000 squares the low ones would be lost in 32 bits.
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return length > 0 && Number.isFinite(length) ? vector.map((value) => value / length) : undefined
}
