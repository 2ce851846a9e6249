import type { ProviderFailure } from '../ports/provider-error.ts'

/** What a status of an HTTP service other than success means for who asked. */
export function failureOfStatus(status: number): ProviderFailure {
  if (status === 429) return 'rate_limited'
  if (status === 408) return 'timeout'
  // Another address than the one configured.
  if (status < 400) return 'refused'
  // 402: the account's plan or credit ended. 501: it does not know how, today and tomorrow.
  if (status === 401 || status === 402 || status === 403 || status === 404 || status === 501) return 'refused'
  return status >= 500 ? 'unavailable' : 'rejected'
}

/** Milliseconds that a `Retry-After` header asks for: seconds or a date, as HTTP has it. */
export function retryAfterMs(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
