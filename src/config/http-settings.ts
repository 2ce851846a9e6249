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
} as const

export interface HttpSettings {
  readonly host: string
  readonly port: number
  /** Where the metrics are read without a token. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined
  /** As browsers send them: https://chat.example.org, with the port where it is not the usual one. */
  readonly origins: readonly string[]
}

/** Throws InputError where an origin is none. */
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
  }
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
