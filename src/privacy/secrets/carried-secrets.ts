import { detectionsOf, type Detection, type Detector } from '../detection.ts'
import { endWithMarks } from './closing-marks.ts'
import { entropyOf, isPlaceholder, isProperty } from './randomness.ts'
import { spokenPasswords } from './spoken-passwords.ts'

/** Headers of HTTP that carry a credential. */
const headers =
  /(?<![\w-])(?:authorization\s{0,5}[:=]\s{0,5}["']?(?:(?:basic|bearer|(?:api-)?token)[ \t]{1,5})?|(?:x-(?:[a-z]{1,20}-)?)?api-?(?:key|token):[ \t]{0,5}|x-(?:[a-z]{1,20}-)?(?:key|token):[ \t]{0,5})([\w=~@.+/-]{8,2000})/giu
const curlHeader =
  /[ \t\n\r](?:-H|--header)(?:=|[ \t]{0,5})["'](?:(?:api-?)?(?:key|token):[ \t]{0,5})([\w=~@.+/-]{8,2000})/iu
/** The password of an address: `scheme://user:password@host`. */
const addressPassword = /(?<![\w+.-])[a-z][a-z\d+.-]{1,20}:\/\/[^\s:/@"'<>]{0,100}:([^\s/"'<>]{3,200})@[\w.[]/giu
const curl = /\bcurl\b/gu
const curlUser =
  /[ \t\n\r](?:-u|--user)(?:=|[ \t]{0,5})("(?:[^"\n]{3,200}:[^"\n]{0,200}|:[^"\n]{3,200})"|'[^':\n]{3,200}:[^'\n]{3,200}'|[\w${}@.-]{1,100}:(?:"[^"\n]{3,100}"|'[^'\n]{3,100}'|[\w${}@.-]{1,100}))(?=\s|$)/u
/** Further things that carry a secret. */
const carriers: readonly { readonly pattern: RegExp; readonly kind: string; readonly isOfWords?: true }[] = [
  {
    pattern:
      /(?<![\w-])(?:set-)?cookie:[ \t]?[^\n]{0,200}?(?:sess(?:ion)?(?:_?id)?|sid|token|auth|jwt)=([\w%.~+/-]{16,2000})/giu,
    kind: 'http_credential',
  },
  { pattern: /[?&;]sig=([\w%+/-]{40,100})/gu, kind: 'azure_key' },
  { pattern: /(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{43,86}={1,2})/gu, kind: 'azure_key' },
  { pattern: /otpauth:\/\/[^\s"'<>]{0,300}?[?&]secret=([A-Z2-7]{16,128})/giu, kind: 'password' },
  { pattern: /(?:^|\n)Private-Lines: \d{1,3}\r?\n((?:[A-Za-z0-9+/=]{1,64}\r?\n?){1,60})/gu, kind: 'private_key' },
  { pattern: /\bngrok (?:config add-)?authtoken ([\w-]{40,60})/gu, kind: 'service_token' },
  {
    pattern:
      /(?:mnemonic|seed phrase|recovery phrase|seed words)["']?[ \t]{0,3}(?:is|:|=)\s{0,3}["'“]?((?:[a-z]{3,8} ){11,23}[a-z]{3,8})/giu,
    kind: 'private_key',
    // "example" and "sample" are words of the list.
    isOfWords: true,
  },
]
const kubernetesSecret = /\bkind:[ \t]{0,20}["']?secret\b/giu
const yamlValue = /[\w.-]{1,100}:[ \t]{0,20}(?:(?:\||>[-+]?)\s{1,20})?[ \t]{0,20}["']?([A-Za-z0-9+/]{10,4000}={0,3})/gu
const windowCharacters = 600

/** A variable is what stands in for a secret. */
function isVariable(text: string): boolean {
  return /^["']?(?:\$|%|<|\{\{)|:["']?(?:\$|%|<|\{\{)/u.test(text)
}

/** A word, and no mixture of letters that somebody made up or was given. */
function isStandIn(text: string): boolean {
  return (
    isPlaceholder(text) &&
    (!/^[a-z]+$/iu.test(text) || !/[a-z][A-Z]|[A-Z]{2}[a-z]/u.test(text) || /pass|secret|pwd/iu.test(text))
  )
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
      accepts: (found) => !isVariable(found) && !isStandIn(found) && !/^(?:pass(?:word)?|secret|pw)$/iu.test(found),
    }),
    ...spokenPasswords.flatMap((pattern) =>
      detectionsOf(text, {
        type: 'secret',
        pattern,
        confidence: 0.85,
        kindOf: () => 'password',
        accepts: (found) =>
          /\d/u.test(found) &&
          /\p{L}/u.test(found) &&
          !isVariable(found) &&
          !isPlaceholder(found) &&
          !isProperty(found) &&
          !/-(?:encoded|hashed|encrypted|protected|based|bit)$/iu.test(found),
      }).map((found) => ({ ...found, end: endWithMarks(text, found.end) })),
    ),
    ...carriers.flatMap(({ pattern, kind, isOfWords = false }) =>
      detectionsOf(text, {
        type: 'secret',
        pattern,
        confidence: 0.9,
        kindOf: () => kind,
        accepts: (found) => entropyOf(found) >= 2.5 && (isOfWords || !isPlaceholder(found)) && !isVariable(found),
      }),
    ),
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
