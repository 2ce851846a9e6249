import type { Detection, Detector } from './detection.ts'
import { companies } from './names/companies.ts'
import { countries } from './names/countries.ts'
import { cuedNames } from './names/cued-names.ts'
import { repeatedNames } from './names/repeated-names.ts'
import { taggedNames } from './names/tagged-names.ts'
import { resolveOverlaps } from './resolve-overlaps.ts'
import { secrets } from './secrets/secrets.ts'
import { birthDates } from './structured/birth-dates.ts'
import { emails, networkAddresses } from './structured/contact-addresses.ts'
import { ibans } from './structured/ibans.ts'
import { nationalIdNumbers } from './structured/national-ids.ts'
import { paymentCards } from './structured/payment-cards.ts'
import { phones } from './structured/phones.ts'
import { postalAddresses } from './structured/postal-addresses.ts'
import { recordNumbers } from './structured/record-numbers.ts'
import { websites } from './structured/websites.ts'

const byForm: readonly Detector[] = [
  paymentCards,
  ibans,
  emails,
  networkAddresses,
  nationalIdNumbers,
  phones,
  recordNumbers,
  birthDates,
  websites,
  postalAddresses,
  secrets,
]

/** Personal data and secrets in a text, in order and without overlaps. */
export async function detect(text: string): Promise<Detection[]> {
  const names = [...cuedNames(text), ...(await taggedNames(text))]
  return resolveOverlaps(text, [
    ...byForm.flatMap((detector) => detector(text)),
    ...companies(text),
    ...countries(text),
    ...names,
    ...repeatedNames(text, names),
  ])
}
