import { expect } from 'vitest'
import { z } from 'zod'

import type { Home } from './home.ts'
import type { HttpHome } from './http-home.ts'
import type { Tools } from './tools.ts'

const countsSchema = z.object({
  messages: z.number(),
  sessions: z.number(),
  namesakes: z.number(),
  moved: z.number(),
  filled: z.number(),
  edits: z.number(),
  erasures: z.number(),
})

const reportSchema = z.object({
  peer: z.object({ store_id: z.uuid(), url: z.string(), version: z.string() }),
  sessions: z.object({
    equal: z.number(),
    unchanged: z.number(),
    erased: z.number(),
    pending: z.number(),
    apart: z.number(),
  }),
  received: countsSchema,
  sent: countsSchema,
  problem_count: z.number(),
  problems: z.array(z.object({ session_id: z.string(), problem: z.string() })),
})
export type SyncReport = z.infer<typeof reportSchema>

export const syncScopes = 'read,write,delete,export,admin'

/** Exchanges the history of a home with that of a server, by the command line, and expects no problem. */
export async function sync(home: Home, server: HttpHome, token: string): Promise<SyncReport> {
  const { stdout, stderr, code } = await home.cli(['sync', server.url, '--json'], {
    env: { VERBATIM_SYNC_TOKEN: token },
  })
  expect({ stderr: withoutNotices(stderr), code }).toEqual({ stderr: '', code: 0 })
  return reportSchema.parse(JSON.parse(stdout))
}

/** What each fresh store says is no complaint. */
function withoutNotices(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !line.includes('Made the root key of this store'))
  return lines.join('\n')
}

/**
 * Everything that a store says of its sessions and messages, but for what is its own: how often it was changed, under which key it is, and where it
 * keeps large payloads. What is sealed is as clients read it.
 */
export async function stateOf(home: Home, tools: Tools): Promise<string[]> {
  const store = home.database()
  try {
    const sessions = await store.sql.unsafe<{ row: unknown }[]>(`
      select to_jsonb(s) - '{version,erasures,restrictions,key_version,title,metadata,retention_policy_id,active_hour,said_at,anonymized_at}'::text[] as row
      from sessions s order by id`)
    const messages = await store.sql.unsafe<{ row: unknown }[]>(`
      select to_jsonb(m) - '{key_version,payload,payload_location,payload_sha256,text,metadata,record_sha256}'::text[] as row
      from messages m order by session_id, seq`)
    const written = await store.sql.unsafe<{ row: unknown }[]>(`
      select jsonb_build_object('id', id, 'of', session_id, 'at', created_at) as row from summaries where made_by = 'host' order by id`)
    const corrected = await store.sql.unsafe<{ row: unknown }[]>(`
      select to_jsonb(c) - 'corrected_at' as row from corrections c order by message_id`)
    const rows = [...sessions, ...messages, ...written, ...corrected].map(({ row }) => JSON.stringify(row))
    return [...rows, ...(await readBy(tools, await sessionIdsOf(home)))]
  } finally {
    await store.close()
  }
}

/** The ids of all sessions, of those too that no list shows. */
export async function sessionIdsOf(home: Home): Promise<string[]> {
  const store = home.database()
  try {
    return (await store.sql<{ id: string }[]>`select id from sessions order by id`).map(({ id }) => id)
  } finally {
    await store.close()
  }
}

async function readBy(tools: Tools, sessions: readonly string[]): Promise<string[]> {
  const read: string[] = []
  for (const session of sessions) {
    const { title, tags, context_summary: summary } = await tools.session(session)
    const messages = await tools.allMessages(session)
    // What its index has found of a message is there once it is indexed.
    const said = messages.map(({ id, content, content_part: part, text, metadata }) => [
      id,
      content,
      part,
      text,
      { ...metadata, sentiment: undefined },
    ])
    read.push(JSON.stringify([session, title, tags, summary, ...said]))
  }
  return read
}
