import { detectionsOf, type Detection, type Detector } from '../detection.ts'
import { entropyOf, isPlaceholder, isProperty } from './randomness.ts'

/** Headers of HTTP that carry a credential. */
const headers =
  /(?<![\w-])(?:authorization\s{0,5}[:=]\s{0,5}["']?(?:(?:basic|bearer|(?:api-)?token)[ \t]{1,5})?|(?:x-(?:[a-z]{1,20}-)?)?api-?(?:key|token):[ \t]{0,5}|x-(?:[a-z]{1,20}-)?(?:key|token):[ \t]{0,5})([\w=~@.+/-]{8,2000})/giu
const curlHeader =
  /[ \t\n\r](?:-H|--header)(?:=|[ \t]{0,5})["'](?:(?:api-?)?(?:key|token):[ \t]{0,5})([\w=~@.+/-]{8,2000})/iu
/** The password of an address: `scheme://user:password@host`. */
const addressPassword = /(?<![\w+.-])[a-z][a-z\d+.-]{1,20}:\/\/[^\s:/@"'<>]{0,100}:([^\s/@"'<>]{3,200})@[\w.[]/giu
const curl = /\bcurl\b/gu
const curlUser =
  /[ \t\n\r](?:-u|--user)(?:=|[ \t]{0,5})("(?:[^"\n]{3,200}:[^"\n]{0,200}|:[^"\n]{3,200})"|'[^':\n]{3,200}:[^'\n]{3,200}'|[\w${}@.-]{1,100}:(?:"[^"\n]{3,100}"|'[^'\n]{3,100}'|[\w${}@.-]{1,100}))(?=\s|$)/u
const kubernetesSecret = /\bkind:[ \t]{0,20}["']?secret\b/giu
const yamlValue = /[\w.-]{1,100}:[ \t]{0,20}(?:(?:\||>[-+]?)\s{1,20})?[ \t]{0,20}["']?([A-Za-z0-9+/]{10,4000}={0,3})/gu
const windowCharacters = 600

/** A variable is what stands in for a secret. */
function isVariable(text: string): boolean {
  return /^["']?(?:\$|%|<|\{\{)|:["']?(?:\$|%|<|\{\{)/u.test(text)
}

/** Eight or more characters that are no words and no property of an object. */
function isCredential(text: string): boolean {
  return /\d|[a-z][A-Z]|[=~+/]/u.test(text) && entropyOf(text) >= 2.75 && !isPlaceholder(text) && !isProperty(text)
}

/** Matches of `inner` near those of `outer`, each looked for in a bounded piece of text. */
function near(text: string, outer: RegExp, inner: RegExp): { value: string; start: number }[] {
  return [...text.matchAll(outer)].flatMap(({ index }) => {
    const from = Math.max(0, outer === curl ? index : index - windowCharacters)
    const piece = text.slice(from, index + windowCharacters)
    return [...piece.matchAll(new RegExp(inner.source, `${inner.flags.replace('g', '')}g`))].flatMap((match) => {
      const [whole, value] = match
      return value === undefined ? [] : [{ value, start: from + match.index + whole.lastIndexOf(value) }]
    })
  })
}

/** Secrets that are known by what carries them: a header, an address, a command, a manifest. */
export const carriedSecrets: Detector = (text) => {
  const secret = (kind: string, found: { readonly value: string; readonly start: number }): Detection => ({
    type: 'secret',
    start: found.start,
    end: found.start + found.value.length,
    confidence: 0.9,
    kind,
  })
  return [
    ...detectionsOf(text, {
      type: 'secret',
      pattern: headers,
      confidence: 0.9,
      kindOf: () => 'http_credential',
      accepts: isCredential,
    }),
    ...detectionsOf(text, {
      type: 'secret',
      pattern: addressPassword,
      confidence: 0.9,
      kindOf: () => 'password',
      accepts: (found) => !isVariable(found) && !isPlaceholder(found) && !/^(?:pass(?:word)?|secret|pw)$/iu.test(found),
    }),
    ...near(text, curl, curlUser)
      .filter(({ value }) => !isVariable(value) && entropyOf(value) >= 2 && !isPlaceholder(value))
      .map((found) => secret('password', found)),
    ...near(text, curl, curlHeader)
      .filter(({ value }) => isCredential(value))
      .map((found) => secret('http_credential', found)),
    ...near(text, kubernetesSecret, yamlValue)
      .filter(({ value }) => /\d|[A-Z]/u.test(value) && entropyOf(value) >= 2.5)
      .map((found) => secret('kubernetes_secret', found)),
  ]
}
