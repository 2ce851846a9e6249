import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import type { FactBody } from './sealed-facts.ts'

/** What a fact says, or why that cannot be had. */
export function openFactBody(
  row: { readonly id: string; readonly body: Uint8Array; readonly key_version: number },
  seal: RowSeal | undefined,
): FactBody | { readonly damage: string } {
  if (row.key_version !== 0 && seal === undefined) return { damage: 'the key of its session is missing or was altered' }
  try {
    const bytes = seal === undefined ? row.body : seal.open({ field: 'fact', id: row.id }, row.body)
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    if (error instanceof BrokenSeal) return { damage: 'its encrypted bytes were altered or moved' }
    throw error
  }
}
