import type { Pair } from './evidence.ts'

/** How far a factor may go, as a logarithm, in either direction. */
export interface FitOptions {
  readonly logFactorMax: number
}

/** How sharply a difference of two scores tells which is used: with one of a quarter (e to the 0.25) it is three in four. */
const sharpness = 4
/** How much the usual weights are believed: as if so many searches had shown that they are right. */
const belief = 10
/** It is done after ten or so. */
const roundsMax = 200
const smallestStep = 1e-6

/**
 * The logarithms of the factors with which used results stand above others best: logistic loss of pairs (RankNet: Burges et al., ICML
 * 2005) and a pull to 0 by the square (L2), each factor within its bounds. The loss has one lowest point; it is found by Newton's
 * steps along one factor after the other (coordinate descent: Friedman, Hastie and Tibshirani, J. Stat. Softw. 33, 2010). The same
 * pairs give the same result.
 */
export function fitFactors(pairs: readonly Pair[], parts: number, { logFactorMax }: FitOptions): number[] {
  const logFactors = Array.from({ length: parts }, () => 0)
  const margins = pairs.map(({ gap }) => gap)
  for (let round = 0; round < roundsMax; round++) {
    let largest = 0
    for (let part = 0; part < parts; part++) {
      const before = logFactors[part] ?? 0
      const wanted = before - newtonStep(pairs, margins, { part, at: before })
      const after = Math.min(logFactorMax, Math.max(-logFactorMax, wanted))
      if (after === before) continue
      logFactors[part] = after
      for (const [index, { effects }] of pairs.entries())
        margins[index] = (margins[index] ?? 0) + (after - before) * (effects[part] ?? 0)
      largest = Math.max(largest, Math.abs(after - before))
    }
    if (largest < smallestStep) break
  }
  return logFactors
}

function newtonStep(
  pairs: readonly Pair[],
  margins: readonly number[],
  { part, at }: { readonly part: number; readonly at: number },
): number {
  let slope = belief * at
  let curve = belief
  for (const [index, { effects, weight }] of pairs.entries()) {
    const effect = effects[part] ?? 0
    if (effect === 0) continue
    const wrong = 1 / (1 + Math.exp(sharpness * (margins[index] ?? 0)))
    slope -= weight * sharpness * wrong * effect
    curve += weight * sharpness ** 2 * wrong * (1 - wrong) * effect ** 2
  }
  return slope / curve
}
