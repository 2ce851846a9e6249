import { isIP } from 'node:net'

import { z } from 'zod'

import { InputError } from '../errors.ts'

export const httpSettingsShape = {
  VERBATIM_HTTP_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address that `verbatim serve` listens on. Others than those of this machine need access tokens'),
  VERBATIM_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8_377)
    .describe('The port; 0 for any that is free'),
  VERBATIM_METRICS_ADDRESS: z
    .string()
    .optional()
    .describe(
      'An address of its own for the metrics of `verbatim serve`, as in 127.0.0.1:9464 or [::]:9464. There they are read without a token, so it must be one that only those reach who may. Default: none; /metrics of the server itself asks for a token with memory:admin',
    ),
  VERBATIM_HTTP_ORIGINS: z
    .string()
    .optional()
    .describe(
      'Web pages of these origins may use the server, separated by commas, as in https://chat.example.org. Pages of this machine always may',
    ),
  VERBATIM_HTTP_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe(
      'Requests that a process works on at once. Further ones wait, 16 times as many at most, and the tenants take turns; one tenant has three quarters of the places at most',
    ),
  VERBATIM_HTTP_STREAMS: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe(
      'Streams of notices that a process keeps open at once; one tenant has three quarters of them at most. Further ones are refused with 503',
    ),
  VERBATIM_TENANT_RATE: z.coerce
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      'Requests a second that each tenant may send to one process in the long run, such as 50 or 0.5; each entry of a batch is one. What is above it is answered with 429. 0: as many as it likes',
    ),
  VERBATIM_TENANT_BURST: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Requests that a tenant may send at once after a pause, where VERBATIM_TENANT_RATE is set. Default: those of two seconds',
    ),
} as const

export interface HttpSettings {
  readonly host: string
  readonly port: number
  /** Where the metrics are read without a token. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined
  /** As browsers send them: https://chat.example.org, with the port where it is not the usual one. */
  readonly origins: readonly string[]
  /** Requests that are worked on at once. */
  readonly concurrency: number
  /** Streams of notices that are open at once. */
  readonly streams: number
  /** What one tenant may send; undefined for as much as it likes. */
  readonly rate: { readonly perSecond: number; readonly burst: number } | undefined
}

/** Throws InputError where an origin is none, and where a burst is given without a rate. */
export function readHttpSettings(settings: z.infer<z.ZodObject<typeof httpSettingsShape>>): HttpSettings {
  const origins = (settings.VERBATIM_HTTP_ORIGINS ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
  const metrics = settings.VERBATIM_METRICS_ADDRESS
  return {
    host: settings.VERBATIM_HTTP_HOST,
    port: settings.VERBATIM_HTTP_PORT,
    metrics: metrics === undefined ? undefined : addressOf(metrics),
    origins: origins.map(originOf),
    concurrency: settings.VERBATIM_HTTP_CONCURRENCY,
    streams: settings.VERBATIM_HTTP_STREAMS,
    rate: rateOf(settings.VERBATIM_TENANT_RATE, settings.VERBATIM_TENANT_BURST),
  }
}

function rateOf(perSecond: number, burst: number | undefined): HttpSettings['rate'] {
  if (perSecond > 0) return { perSecond, burst: burst ?? Math.max(1, Math.ceil(2 * perSecond)) }
  if (burst === undefined) return undefined
  throw new InputError('Cannot use VERBATIM_TENANT_BURST as tenants may send as many requests as they like', {
    remedy: 'Set VERBATIM_TENANT_RATE too, or unset VERBATIM_TENANT_BURST',
  })
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new InputError(`Cannot start as "${text}" in VERBATIM_METRICS_ADDRESS is not an address with a port`, {
    remedy: 'Write it as in 127.0.0.1:9464',
  })
}

function originOf(text: string): string {
  if (/^https?:\/\/[^\s/?#@]+\/?$/i.test(text) && URL.canParse(text)) return new URL(text).origin
  throw new InputError(`Cannot start as "${text}" in VERBATIM_HTTP_ORIGINS is not the origin of a web page`, {
    remedy: 'Write it as in https://chat.example.org',
  })
}

/** Whether nobody but programs of this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
