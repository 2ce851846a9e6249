import { InputError } from '../errors.ts'

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
