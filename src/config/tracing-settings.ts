import { z } from 'zod'

import { InputError } from '../errors.ts'

export const tracingSettingsShape = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .optional()
    .describe(
      'Where `verbatim serve` sends traces: an OpenTelemetry collector that takes OTLP over HTTP, as in http://localhost:4318; /v1/traces is added. Default: none are made',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z
    .string()
    .optional()
    .describe('The same for traces alone, taken as it is, as in http://localhost:4318/v1/traces'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .optional()
    .describe('What the collector asks for, as in Authorization=Bearer%20abc,X-Scope=team: percent-encoded values'),
  OTEL_SERVICE_NAME: z.string().default('verbatim').describe('The name of the service in traces'),
} as const

/** Where traces are sent. */
export interface TracingSettings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
}

/** Undefined where no collector is named. Throws InputError where its address or a header is none. */
export function readTracingSettings(
  settings: z.infer<z.ZodObject<typeof tracingSettingsShape>>,
): TracingSettings | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = settings
  const url = own ?? (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`)
  if (url === undefined) return undefined
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new InputError(
      `Cannot start as "${own ?? base}" in OTEL_EXPORTER_OTLP_${own === undefined ? '' : 'TRACES_'}ENDPOINT is not an address`,
      { remedy: 'Write it as in http://localhost:4318' },
    )
  if (new URL(url).username !== '' || new URL(url).password !== '')
    throw new InputError('Cannot start as the address of the collector for traces has a user or a password in it', {
      remedy: 'Put them into OTEL_EXPORTER_OTLP_HEADERS, as in Authorization=Basic%20…',
    })
  return { url, headers: headersOf(settings.OTEL_EXPORTER_OTLP_HEADERS ?? ''), serviceName: settings.OTEL_SERVICE_NAME }
}

function headersOf(text: string): Record<string, string> {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*)$/.exec(entry) ?? []
      if (name !== undefined && value !== undefined && isEncoded(value)) return [name, decodeURIComponent(value)]
      // Not shown: it may be a secret.
      throw new InputError('Cannot start as a part of OTEL_EXPORTER_OTLP_HEADERS is not a header', {
        remedy: 'Write them as in Authorization=Bearer%20abc,X-Scope=team, with percent-encoded values',
      })
    }),
  )
}

function isEncoded(value: string): boolean {
  try {
    decodeURIComponent(value)
    return true
  } catch {
    return false
  }
}
