import { detectionsOf, type Detector } from '../detection.ts'
import { assignedSecrets } from './assigned-secrets.ts'
import { carriedSecrets } from './carried-secrets.ts'
import { jsonWebKeys } from './json-web-keys.ts'
import { knownForms, otherForms } from './known-forms.ts'
import { privateKeys } from './private-keys.ts'
import { entropyOf } from './randomness.ts'
import { kindOfForm } from './secret-kinds.ts'

const body = '[\\w.=~+/%-]'
/** One expression for all forms of one length: 120 of them, each over the whole text, took ten times as long. */
const knownPatterns = [...new Set(knownForms.map(({ bodyMin }) => bodyMin))].map((bodyMin) => {
  const names = knownForms.filter((form) => form.bodyMin === bodyMin).map(({ prefix }) => prefix)
  return new RegExp(`(?<![A-Za-z0-9])(?:${names.join('|')})${body}{${bodyMin},1000}`, 'giu')
})

/** What follows a prefix is random: it has digits, or capitals within, and is no run of words. */
function looksRandom(found: string): boolean {
  return (
    (/\d/u.test(found) || /[a-z][A-Z]{2}|[A-Z]{2}[a-z]|(?:[a-z][A-Z]){2}/u.test(found.slice(4))) &&
    entropyOf(found) >= 3 &&
    !found.includes('EXAMPLE')
  )
}

/** Keys, tokens, passwords and the like: by their issuer's form, by the name they are assigned to, by what carries them. */
export const secrets: Detector = (text) => [
  ...knownPatterns.flatMap((pattern) =>
    detectionsOf(text, { type: 'secret', pattern, confidence: 0.97, kindOf: kindOfForm, accepts: looksRandom }),
  ),
  ...otherForms.flatMap((pattern) =>
    detectionsOf(text, {
      type: 'secret',
      pattern,
      confidence: 0.98,
      kindOf: kindOfForm,
      accepts: (found) => entropyOf(found) >= 2.5 && !found.includes('EXAMPLE'),
    }),
  ),
  ...privateKeys(text),
  ...jsonWebKeys(text),
  ...assignedSecrets(text),
  ...carriedSecrets(text),
]
