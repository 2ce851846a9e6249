import { createHmac } from 'node:crypto'

import { dataTypes, type DataType } from './detection.ts'

/** What stands in the place of a found stretch. */
export type Mask = (found: { readonly type: DataType; readonly value: string }) => string

/** `[person]`, `[phone]`, `[secret]`: the same for all of a kind. */
export const typeMask: Mask = ({ type }) => `[${type}]`

const tokenHexDigits = 10
const masked = new RegExp(`^\\[(?:${dataTypes.join('|')})(?:_[\\da-f]{${tokenHexDigits}})?\\]$`, 'u')

/** Whether a text is nothing but what stands in the place of something found. */
export function isMask(text: string): boolean {
  return masked.test(text)
}

const title =
  /^(?:(?:mrs?|ms|miss|dr|prof(?:essor)?|sir|lord|lady|judge|justice|herrn?|frau|monsieur|madame|mme)\.? )+/u

/** One way of writing for what is written in several: spaces and case of names, separators of numbers. */
function normalised(type: DataType, value: string): string {
  const folded = value.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim()
  switch (type) {
    case 'payment_card':
    case 'iban':
    case 'phone':
    case 'national_id':
    case 'record_number':
      return folded.replace(/[^\p{L}\p{N}]/gu, '')
    case 'person':
      return folded.replace(title, '')
    case 'email':
    case 'network_address':
    case 'date_of_birth':
    case 'website':
    case 'address':
    case 'place':
    case 'organization':
    case 'secret':
      return folded
    default:
      return type satisfies never
  }
}

/**
 * `[person_3f9c01ab72]`: the same value gets the same token wherever the same key and scope are used, and without the key
 * nobody can try values out. Ten hexadecimal digits: of 10,000 people the odds that two share a token are 1 in 22,000.
 */
export function tokenMask(key: Uint8Array, scope: string): Mask {
  return ({ type, value }) => {
    const digest = createHmac('sha256', key)
      .update(JSON.stringify([scope, type, normalised(type, value)]))
      .digest('hex')
    return `[${type}_${digest.slice(0, tokenHexDigits)}]`
  }
}
