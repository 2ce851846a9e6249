import { InputError } from '../errors.ts'

/** A model of Google's Gemini API, and how it is reached. */
export interface GeminiSettings {
  readonly kind: 'gemini'
  readonly apiKey: string
  /** Default: the provider's current one. */
  readonly model?: string | undefined
  /** Default: Google's own. */
  readonly baseUrl?: string | undefined
}

/** A model of a server that speaks OpenAI's protocol, and how it is reached. */
export interface OpenAiCompatibleSettings {
  readonly kind: 'openai-compatible'
  readonly url: string
  readonly model: string
  readonly apiKey?: string | undefined
}

export function geminiKeyOf(values: {
  readonly GEMINI_API_KEY?: string | undefined
  readonly GOOGLE_API_KEY?: string | undefined
}): string | undefined {
  return values.GEMINI_API_KEY ?? values.GOOGLE_API_KEY
}

/** The key that `setting` asks for by naming gemini. Throws InputError where there is none. */
export function requireGeminiKey(setting: string, values: Parameters<typeof geminiKeyOf>[0]): string {
  const key = geminiKeyOf(values)
  if (key !== undefined) return key
  throw new InputError(`Cannot start as ${setting} is "gemini" and GEMINI_API_KEY is not set`, {
    remedy: `Set GEMINI_API_KEY to a key from https://aistudio.google.com, or unset ${setting}`,
  })
}

/** An address that can be shown: a key in it would be. Throws InputError where it cannot be used. */
export function addressOf<T extends string | undefined>(
  settings: { readonly url: string; readonly key: string },
  value: T,
): T {
  if (value === undefined) return value
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isUsable = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === ''
  if (isUsable && url.username === '' && url.password === '') return value
  throw new InputError(`Cannot start as ${settings.url} is not an address that can be used`, {
    remedy: `It must begin with https:// or http:// and have no user name, password or "?"; a key goes into ${settings.key}`,
  })
}
