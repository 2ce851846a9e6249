import { z } from 'zod'

/**
 * The requests of Pinecone's API 2026-04 that the product makes, after its published description (db_data and
 * db_control of pinecone-io/pinecone-api) and the limits that its documentation adds. Strict: a member that the
 * description does not have is an error here, where the real service may pass over it.
 */

const float = z.number().refine((value) => Number.isFinite(Math.fround(value)), 'a float32')

/** Strings, numbers, booleans and lists of strings; no null, nothing nested, 40 KB at most. */
const metadata = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= 40 * 1024, 'at most 40 KB')

const id = z.string().min(1).max(512)

const comparable = z.union([z.string(), z.number(), z.boolean()])
const condition = z.union([
  comparable,
  z.strictObject({ $eq: comparable }),
  z.strictObject({ $ne: comparable }),
  z.strictObject({ $gte: z.number() }),
  z.strictObject({ $lte: z.number() }),
  z.strictObject({ $gt: z.number() }),
  z.strictObject({ $lt: z.number() }),
  z.strictObject({ $in: z.array(comparable).min(1) }),
  z.strictObject({ $nin: z.array(comparable).min(1) }),
])
export type Condition = z.infer<typeof condition>

export interface Filter {
  readonly $and?: readonly Filter[] | undefined
  readonly $or?: readonly Filter[] | undefined
  readonly fields: Readonly<Record<string, Condition>>
}

const fields = z
  .record(z.string(), z.unknown())
  .transform(({ $and: _and, $or: _or, ...rest }) => rest)
  .pipe(z.record(z.string().regex(/^[^$]/), condition))

const filter: z.ZodType<Filter> = z.lazy(() =>
  z
    .looseObject({ $and: z.array(filter).min(1).optional(), $or: z.array(filter).min(1).optional() })
    .transform((value, context) => {
      const parsed = fields.safeParse(value)
      if (parsed.success) return { $and: value.$and, $or: value.$or, fields: parsed.data }
      context.addIssue({ code: 'custom', message: 'a field of the filter has an unknown condition' })
      return z.NEVER
    }),
)

export const vectorSchema = z.strictObject({
  id,
  values: z.array(float).min(1).max(20_000),
  metadata: metadata.optional(),
})

export const dataRequests = {
  'POST /vectors/upsert': z.strictObject({
    vectors: z.array(vectorSchema).min(1).max(1_000),
    namespace: z.string().optional(),
  }),
  'POST /query': z.strictObject({
    namespace: z.string().optional(),
    topK: z.number().int().min(1).max(10_000),
    filter: filter.optional(),
    includeValues: z.boolean().optional(),
    includeMetadata: z.boolean().optional(),
    vector: z.array(float).min(1).max(20_000),
  }),
  /** Exactly one of the three ways to say what: a body without any is taken by the real service and does nothing. */
  'POST /vectors/delete': z.union([
    z.strictObject({ ids: z.array(id).min(1).max(1_000), namespace: z.string().optional() }),
    z.strictObject({ deleteAll: z.literal(true), namespace: z.string().optional() }),
  ]),
  'POST /describe_index_stats': z.strictObject({}),
  'GET /vectors/fetch': z.strictObject({ ids: z.array(id).min(1).max(1_000), namespace: z.string().optional() }),
  'GET /vectors/list': z.strictObject({
    prefix: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(100).default(100),
    paginationToken: z.string().optional(),
    namespace: z.string().optional(),
  }),
} as const

export const createIndexRequest = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,43}[a-z0-9])?$/),
  dimension: z.number().int().min(1).max(20_000),
  metric: z.enum(['cosine', 'euclidean', 'dotproduct']).default('cosine'),
  deletion_protection: z.enum(['enabled', 'disabled']).optional(),
  tags: z.record(z.string().max(80), z.string().max(120)).optional(),
  vector_type: z.literal('dense').optional(),
  spec: z.strictObject({
    serverless: z.strictObject({ cloud: z.enum(['aws', 'gcp', 'azure']), region: z.string().min(1) }),
  }),
})
