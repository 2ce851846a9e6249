import { readFileSync } from 'node:fs'

import { z } from 'zod'

import type { DataType } from '../../src/privacy/detection.ts'
import type { Labelled } from './measure-spans.ts'

/** What the types of the synthetic sentences are called here. Dates are looked at apart: only those of birth are promised. */
const types: Readonly<Record<string, DataType>> = {
  CREDIT_CARD: 'payment_card',
  IBAN_CODE: 'iban',
  PHONE_NUMBER: 'phone',
  EMAIL_ADDRESS: 'email',
  US_SSN: 'national_id',
  IP_ADDRESS: 'network_address',
  US_DRIVER_LICENSE: 'record_number',
  DOMAIN_NAME: 'website',
  ADDRESS: 'address',
  STREET_ADDRESS: 'address',
  LOCATION: 'place',
  GPE: 'place',
  PERSON: 'person',
  PREFIX: 'person',
  ORGANIZATION: 'organization',
}

const sentencesSchema = z.array(
  z.object({
    full_text: z.string(),
    spans: z.array(z.object({ entity_type: z.string(), start_position: z.number(), end_position: z.number() })),
  }),
)

/** Labelled sentences in the form of presidio-research. */
export function readSentences(path: string): Labelled[] {
  return sentencesSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).map(({ full_text: text, spans }) => ({
    text,
    spans: spans.map(({ entity_type: type, start_position: start, end_position: end }) => ({
      type: type === 'DATE_TIME' && /\bborn\b|birth/iu.test(text) ? 'date_of_birth' : types[type],
      start,
      end,
    })),
  }))
}

const judgementSchema = z.object({
  text: z.string(),
  entities: z.array(
    z.object({
      span_text: z.string(),
      identifier_type: z.enum(['DIRECT', 'QUASI', 'NO_MASK']),
      start_offset: z.number(),
      end_offset: z.number(),
    }),
  ),
})

export interface Judgement {
  readonly text: string
  readonly identifiers: readonly {
    readonly kind: 'DIRECT' | 'QUASI' | 'NO_MASK'
    readonly start: number
    readonly end: number
  }[]
}

/** Judgements with their identifiers, in the form of the Text Anonymization Benchmark. Spans that do not fit are left out. */
export function readJudgements(path: string): Judgement[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const { text, entities } = judgementSchema.parse(JSON.parse(line))
    return {
      text,
      identifiers: entities
        .filter((one) => text.slice(one.start_offset, one.end_offset) === one.span_text)
        .map((one) => ({ kind: one.identifier_type, start: one.start_offset, end: one.end_offset })),
    }
  })
}
