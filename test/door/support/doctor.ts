import { z } from 'zod'

import type { Home } from './home.ts'

const checkSchema = z.object({
  name: z.string(),
  state: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
})

/** What `doctor` says of the encryption of a store. */
export async function encryptionOf(home: Home): Promise<z.infer<typeof checkSchema> | undefined> {
  const { stdout } = await home.cli(['doctor', '--json'])
  return z
    .array(checkSchema)
    .parse(JSON.parse(stdout))
    .find(({ name }) => name === 'encryption')
}
