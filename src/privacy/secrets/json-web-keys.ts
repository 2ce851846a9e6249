import type { Detection, Detector } from '../detection.ts'
import { entropyOf, isPlaceholder } from './randomness.ts'

/** By the type of a key (RFC 7518): the members that are secret. Without them it is a public one. */
const secretNames: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['RSA', new Set(['d', 'p', 'q', 'dp', 'dq', 'qi'])],
  ['EC', new Set(['d'])],
  ['OKP', new Set(['d'])],
  ['oct', new Set(['k'])],
])
/** As JSON, as JSON within a string, and as Node and Python print an object. The longest value is of RSA with 16,384 bits; before a blank it is a word. */
const tokens =
  /[{}]|(?<![\w$.-])\\{0,7}["']?(kty|dp|dq|qi|[dpqk])\\{0,7}["']?\s{0,20}:\s{0,20}\\{0,7}["']([\w+/=-]{2,4000})(?![\w+/=\t -])/gu
/** A longer one is random, whatever letters it has. */
const wordCharactersMax = 20
const givenAsExample = /your|example|placeholder|redacted|private[-_]?key/iu

function isSecret(value: string): boolean {
  if (value.length < wordCharactersMax) return value.length >= 8 && entropyOf(value) >= 2.5 && !isPlaceholder(value)
  return entropyOf(value) >= 3 && !givenAsExample.test(value)
}

interface Member {
  readonly name: string
  readonly value: string
  readonly end: number
}

/** An object whose end was not read yet. */
interface Open {
  type: string | undefined
  readonly members: Member[]
}

function secretsOf({ type = '', members }: Open): Detection[] {
  return members
    .filter(({ name, value }) => secretNames.get(type)?.has(name) === true && isSecret(value))
    .map(({ value, end }) => ({
      type: 'secret',
      start: end - value.length,
      end,
      confidence: 0.98,
      kind: 'private_key',
    }))
}

/** Private keys and keys of both sides as JSON (JWK), whatever the order of their members, also one whose end was cut off. */
export const jsonWebKeys: Detector = (text) => {
  if (!text.includes('kty')) return []
  const found: Detection[] = []
  const open: Open[] = [{ type: undefined, members: [] }]
  for (const { index, 0: token, 1: name, 2: value } of text.matchAll(tokens)) {
    if (token === '{') open.push({ type: undefined, members: [] })
    if (token === '}' && open.length > 1) found.push(...secretsOf(open.pop() ?? { type: undefined, members: [] }))
    const current = open.at(-1)
    if (name === undefined || value === undefined || current === undefined) continue
    if (name === 'kty') current.type = value
    else current.members.push({ name, value, end: index + token.length })
  }
  return [...found, ...open.flatMap(secretsOf)]
}

/** The secret members of an object that is such a key, by name. */
export function secretMembers(object: object): ReadonlyMap<string, string> {
  const members = new Map<string, unknown>(Object.entries(object))
  const names = secretNames.get(String(members.get('kty')))
  const secrets = [...(names ?? [])].flatMap((name): [string, string][] => {
    const value = members.get(name)
    return typeof value === 'string' && isSecret(value) ? [[name, value]] : []
  })
  return new Map(secrets)
}
