import { z } from 'zod'

import type { RowSeal } from '../crypto/row-seal.ts'
import { factRecordSchema } from '../store/archive/archived-facts.ts'
import { importFileRecordSchema } from '../store/archive/archived-files.ts'
import { sessionRecordSchema, summaryRecordSchema } from '../store/archive/archived-session.ts'
import { DamagedObject, decodeObject, encodeObject, type DecodedObject, type OpenSeal } from './archive-object.ts'

/**
 * What an archive says of a session beside its messages, or of an imported document. It is immutable: what has changed is
 * said by a manifest with the next number, and the highest number counts.
 */
export type Subject = { readonly kind: 'session' | 'file'; readonly tenantId: number; readonly id: string }

const headerSchema = z.object({
  kind: z.enum(['session', 'file']),
  tenant: z.number().int(),
  subject: z.string(),
  number: z.number().int().positive(),
})

export const sessionManifestSchema = z.object({
  session: sessionRecordSchema,
  summaries: z.array(summaryRecordSchema),
  /** What was learned of it and could not be learned again. Archives of before do not say it. */
  facts: z.array(factRecordSchema).optional(),
  /** Whether it was shared with some only. With whom is not archived: principals are not. */
  shared: z.boolean().optional(),
  /** In order, from the first message to the session's last. */
  segments: z.array(
    z.object({
      number: z.number().int().positive(),
      first_seq: z.number().int().positive(),
      last_seq: z.number().int().positive(),
      location: z.string(),
      size_bytes: z.number().int(),
      sha256: z.string(),
      chain: z.string(),
    }),
  ),
})
export type SessionManifest = z.infer<typeof sessionManifestSchema>

export const fileManifestSchema = z.object({ file: importFileRecordSchema })

/** How many of the newest manifests are kept: one that cannot be read must not take its session with it. */
export const manifestsKept = 2

export function manifestKey({ kind, tenantId, id }: Subject, number: number): string {
  const name = `${String(number).padStart(6, '0')}.vmanifest`
  return kind === 'session' ? `${tenantId}/${id}/${name}` : `${tenantId}/files/${id}/${name}`
}

export async function encodeManifest(
  subject: Subject,
  number: number,
  { body, seal }: { readonly body: Uint8Array; readonly seal: RowSeal | undefined },
): Promise<Buffer> {
  return await encodeObject({ kind: subject.kind, tenant: subject.tenantId, subject: subject.id, number }, body, seal)
}

function isOther(header: z.infer<typeof headerSchema>, subject: Subject): boolean {
  return header.kind !== subject.kind || header.subject !== subject.id || header.tenant !== subject.tenantId
}

/** The content of a manifest, as it was given. Throws DamagedObject where it is not a manifest of the subject. */
export async function decodeManifest(
  subject: Subject,
  bytes: Uint8Array,
  openSeal: OpenSeal,
): Promise<Pick<DecodedObject, 'body' | 'seal'>> {
  const { header, body, seal } = await decodeObject(bytes, openSeal)
  const known = headerSchema.safeParse(header)
  if (!known.success || isOther(known.data, subject)) throw new DamagedObject('it is no manifest of this place')
  return { body, seal }
}
