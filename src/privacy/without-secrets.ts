import type { Detector } from './detection.ts'
import { resolveOverlaps } from './resolve-overlaps.ts'
import { secrets } from './secrets/secrets.ts'
import { ibans } from './structured/ibans.ts'
import { nationalIdNumbers } from './structured/national-ids.ts'
import { paymentCards } from './structured/payment-cards.ts'

const detectors: readonly Detector[] = [secrets, paymentCards, ibans, nationalIdNumbers]

/** A text for a model that needs none of the secrets and numbers in it. */
export function withoutSecrets(text: string): string {
  const found = resolveOverlaps(
    text,
    detectors.flatMap((detector) => detector(text)),
  )
  let written = ''
  let at = 0
  for (const { type, start, end } of found) {
    written += `${text.slice(at, start)}[${type}]`
    at = end
  }
  return written + text.slice(at)
}
