import { z } from 'zod'

import type { Database } from '../store/database.ts'
import type { OpenSeal } from './archive-object.ts'

/** What the headers of objects say of whose they are. */
const ownerSchema = z.union([
  z.object({ tenant: z.number().int(), kind: z.literal('segment'), session: z.uuid() }),
  z.object({ tenant: z.number().int(), kind: z.enum(['session', 'file']), subject: z.uuid() }),
])

/** What opens objects with the keys that the store has. */
export function sealOpener({ vault }: Pick<Database, 'vault'>): OpenSeal {
  return async (header, version) => {
    const owner = ownerSchema.safeParse(header)
    if (!owner.success || version === 0) return undefined
    const { data } = owner
    if (data.kind === 'file') return (await vault.sealsOfTenant(data.tenant, [version]))(version)
    const sessionId = data.kind === 'segment' ? data.session : data.subject
    return (await vault.sealsOf(data.tenant, [{ sessionId, version }]))(sessionId, version)
  }
}
