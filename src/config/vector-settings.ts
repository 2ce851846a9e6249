import { z } from 'zod'

import { InputError } from '../errors.ts'

export const vectorSettingsShape = {
  VERBATIM_VECTORS: z
    .enum(['pgvector', 'pinecone', 'none'])
    .default('pgvector')
    .describe(
      'Where the vectors of semantic search are kept: pgvector (in the database), pinecone (ids, times, roles and vectors go to Pinecone, texts never do) or none',
    ),
  PINECONE_API_KEY: z
    .string()
    .optional()
    .describe('The API key of the Pinecone project. Used with VERBATIM_VECTORS=pinecone only'),
  PINECONE_INDEX: z
    .string()
    .default('verbatim')
    .describe(
      'The Pinecone index: one for each number of dimensions, as an index keeps those that it was made with. Used with VERBATIM_VECTORS=pinecone only',
    ),
  PINECONE_CONTROLLER_HOST: z
    .string()
    .optional()
    .describe(
      'The address of the Pinecone API, where it is not the public one. Used with VERBATIM_VECTORS=pinecone only',
    ),
} as const

/** Where vectors are kept. */
export type VectorSettings =
  | { readonly kind: 'pgvector' }
  | {
      readonly kind: 'pinecone'
      readonly apiKey: string
      readonly index: string
      readonly controllerHostUrl?: string | undefined
    }
  | { readonly kind: 'none' }

/** Pinecone's own settings are looked at only where Pinecone is chosen: they may be there for another program. */
export function readVectorSettings(settings: z.infer<z.ZodObject<typeof vectorSettingsShape>>): VectorSettings {
  if (settings.VERBATIM_VECTORS !== 'pinecone') return { kind: settings.VERBATIM_VECTORS }
  if (settings.PINECONE_API_KEY === undefined)
    throw new InputError('Cannot start as VERBATIM_VECTORS is "pinecone" and PINECONE_API_KEY is not set', {
      remedy: 'Set PINECONE_API_KEY to a key of your Pinecone project, or unset VERBATIM_VECTORS',
    })
  const index = settings.PINECONE_INDEX
  if (!/^[a-z0-9](?:[a-z0-9-]{0,43}[a-z0-9])?$/.test(index))
    throw new InputError(`Cannot start as "${index}" cannot be the name of a Pinecone index`, {
      remedy: 'Set PINECONE_INDEX to 1 to 45 lower-case letters, digits and hyphens, with no hyphen at either end',
    })
  const controllerHostUrl = settings.PINECONE_CONTROLLER_HOST
  if (controllerHostUrl !== undefined && !/^https?:\/\/[^\s/]/.test(controllerHostUrl))
    throw new InputError('Cannot start as PINECONE_CONTROLLER_HOST must begin with https:// or http://', {
      remedy: 'Unset it to use the public Pinecone API',
    })
  return { kind: 'pinecone', apiKey: settings.PINECONE_API_KEY, index, controllerHostUrl }
}
