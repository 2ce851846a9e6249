import type { Detection, Detector } from '../detection.ts'
import { endWithMarks } from './closing-marks.ts'
import { entropyOf, isPlaceholder, isProperty, isReadable } from './randomness.ts'

/** Services whose secrets have no form of their own: a random value that is assigned to one of these names is one. */
const services =
  'adafruit|adobe|airtable|algolia|alibaba|asana|atlassian|confluence|jira|beamer|bitbucket|bittrex|cloudflare|codecov|cohere|co_api_key|coinbase|confluent|contentful|datadog|discord|droneci|dropbox|etsy|facebook|fastly|finicity|finnhub|flickr|freshbooks|gitter|gocardless|heroku|hubspot|intercom|jfrog|artifactory|bintray|xray|kraken|kucoin|launchdarkly|linear|linked[_-]?in|lob|looker|mailchimp(?:sdk.initialize)?|mailgun|mapbox|mattermost|meraki|message[_-]?bird|netlify|new[-_]?relic|nytimes|new-york-times,|newyorktimes|okta|plaid|private[_-]?ai|rapidapi|sendbird|sentry|bundle_(?:enterprise|gems)__contribsys__com|snyk(?:[_.-]?(?:api|oauth))?(?:[_.-]?(?:key|token))?|sonar(?:[_.-]?(?:login|token))?|sourcegraph|squarespace|sumo|telegr|travis|twitch|twitter|typeform|yandex|zendesk'
const secretWords =
  'access|auth|api|credential|creds|key|passw(?:or)?d|passwd|passphrase|pwd|secret|token|_pat(?![a-z])'
const names = new RegExp(`(?:(${services})|(${secretWords}))`, 'giu')
/** What may stand between a name and its value: the rest of the name, quotes, an operator, quotes. */
const assignment =
  /[ \t\w.-]{0,20}[\s'"]{0,3}(?:=>|\?=|={1,3}|:{1,3}=|:|>|\|\||,)([`'"\s=]{0,5}["'`]?)((?<=["'`])[^\s"'`]{8,200}(?=["'`])|[\w.~+/:%@!$^&*=-]{8,200})/uy

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/iu
/** As long as a random number in hexadecimal is. */
const hash = /^(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{48}|[\da-f]{64})$/iu
/** Names of secrets that may look like any id. */
const uuidName = /(?:api|auth|access|server|secret|bearer)[-_ ]?(?:token|key)|secret|passw/iu
const passwordName = /passw|passphrase|pwd/iu
/** Names of what is no secret though it is called a key or a token. */
const publicName =
  /(?:public|primary|foreign|cache|sort|partition|idempotency|object|hot|short|arrow|tool|event|map|dict|row|group|unique|storage|i18n|translation|max|min|num|total|(?<!ac)count|input|output|prompt|completion|next|page|continuation|sync|csrf)[-_ ]?(?:key|token)s?|(?:key|token)s?[-_ ]?(?:id|count|name|type|path|file|code|word|board|frame|map|usage|limit|s)\b|author|monkey|turkey|keyboard|keyframe|apiVersion/iu

function isServiceSecret(text: string): boolean {
  if (/^\d+$/u.test(text)) return text.length >= 16
  if (text.length < 14 || isReadable(text) || !/\d/u.test(text)) return false
  return entropyOf(text) >= (/^[\da-f:-]+$/iu.test(text) ? 2.3 : 2.7)
}

function isNamedSecret(text: string, context: { readonly name: string; readonly isQuoted: boolean }): boolean {
  const { name, isQuoted } = context
  if (uuid.test(text)) return uuidName.test(name)
  if (isReadable(text) || !/\d/u.test(text) || !/[a-z]/iu.test(text)) return false
  if (hash.test(text)) return entropyOf(text) >= 3
  if (passwordName.test(name)) return isQuoted ? entropyOf(text) >= 2 : text.length >= 10 && entropyOf(text) >= 3
  return text.length >= 10 && entropyOf(text) >= 3.5
}

/** What ends a sentence is no part of a value; in quotes, and of marks, a password may end with it. */
function endOf(
  value: string,
  context: { readonly text: string; readonly start: number; readonly isPassword: boolean; readonly isQuoted: boolean },
): number {
  const { text, start, isPassword, isQuoted } = context
  const wholeEnd = start + value.length
  if (isPassword && isQuoted && /["'`]/u.test(text[wholeEnd] ?? '')) return wholeEnd
  const end = start + value.replace(/[.,:!]+$/u, '').length
  return isPassword ? endWithMarks(text, end) : end
}

/** Random values that are assigned to the name of a service, or to one that says key, token, secret or password. */
export const assignedSecrets: Detector = (text) => {
  const found: Detection[] = []
  for (const match of text.matchAll(names)) {
    assignment.lastIndex = match.index + match[0].length
    const assigned = assignment.exec(text)
    const [whole, quotes, value] = assigned ?? []
    if (assigned === null || whole === undefined || quotes === undefined || value === undefined) continue
    const start = assigned.index + whole.length - value.length
    const name = text.slice(Math.max(0, match.index - 20), start - quotes.length)
    const isPassword = passwordName.test(name)
    const end = endOf(value, { text, start, isPassword, isQuoted: /["'`]/u.test(quotes) })
    const secret = text.slice(start, end)
    const isQuoted = /["'`]/u.test(quotes) && /["'`]/u.test(text[end] ?? '')
    if (!isQuoted && (text[end] === '(' || isProperty(secret))) continue
    if (isPlaceholder(secret) || publicName.test(name)) continue
    const isSecret = (match[1] !== undefined && isServiceSecret(secret)) || isNamedSecret(secret, { name, isQuoted })
    if (isSecret)
      found.push({ type: 'secret', start, end, confidence: 0.8, kind: isPassword ? 'password' : 'named_secret' })
  }
  return found
}
