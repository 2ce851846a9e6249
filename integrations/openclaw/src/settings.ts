import { z } from 'zod'

/** The ways to read a session: see `reading/`. */
export const readerNames = ['delta', 'store', 'messages'] as const
export type ReaderName = (typeof readerNames)[number]

/** Whose `recallTimeoutMs` is not set waits so long for the first recall. */
const firstTimeoutMs = 3_000

/** What OpenClaw has checked by the manifest's schema already; here it gets its defaults. */
const settingsSchema = z.object({
  command: z.array(z.string().min(1)).min(1).optional(),
  env: z.record(z.string(), z.string()).default({}),
  capture: z.boolean().default(true),
  readers: z
    .array(z.enum(readerNames))
    .min(1)
    .default([...readerNames]),
  spoolMegabytes: z.number().int().min(1).default(1024),
  recall: z.boolean().default(true),
  recallInGroups: z.boolean().default(false),
  recallMaxTokens: z.number().int().min(300).max(8_000).default(800),
  recallTimeoutMs: z.number().int().min(10).max(10_000).optional(),
  recallFirstTimeoutMs: z.number().int().min(10).max(10_000).optional(),
})

export interface Settings extends z.infer<typeof settingsSchema> {
  readonly recallTimeoutMs: number
  readonly recallFirstTimeoutMs: number
}

export function readSettings(given: unknown): Settings {
  const settings = settingsSchema.parse(given ?? {})
  const { recallTimeoutMs = 700, recallFirstTimeoutMs = settings.recallTimeoutMs ?? firstTimeoutMs } = settings
  return { ...settings, recallTimeoutMs, recallFirstTimeoutMs }
}

const grantSchema = z.object({
  plugins: z.object({
    entries: z.object({ verbatim: z.object({ hooks: z.object({ allowConversationAccess: z.literal(true) }) }) }),
  }),
})

/** Whether the user lets this plugin see conversations. OpenClaw keeps most of them from it otherwise, and says nothing. */
export function mayReadConversations(hostConfig: unknown): boolean {
  return grantSchema.safeParse(hostConfig).success
}

const ownServerSchema = z.object({ mcp: z.object({ servers: z.object({ verbatim: z.looseObject({}) }) }) })

/** Whether the user has written an MCP server of this name, which stands in the place of the manifest's. */
export function hasOwnServer(hostConfig: unknown): boolean {
  return ownServerSchema.safeParse(hostConfig).success
}
