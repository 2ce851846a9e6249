import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { z } from 'zod'

import { openclawSqlite } from '../../../../src/transcripts/openclaw/openclaw-sqlite.ts'
import type { Home } from '../../../../test/door/support/home.ts'

/** The rows of each session as OpenClaw has stored them. */
export async function rowsInOpenclaw(state: string): Promise<ReadonlyMap<string, string>> {
  const agent = join(state, 'agents', 'main')
  const sessions = new Map<string, string>()
  const database = join(agent, 'agent', 'openclaw-agent.sqlite')
  if (readdirSync(join(agent, 'agent')).includes('openclaw-agent.sqlite')) {
    for await (const { name, events } of openclawSqlite.documents(database)) {
      const lines: string[] = []
      for await (const event of events)
        if (event.type === 'entry') lines.push(Buffer.from(event.bytes).toString('utf8'))
      sessions.set(name, lines.join('\n'))
    }
    return sessions
  }
  const directory = join(agent, 'sessions')
  for (const name of readdirSync(directory)) {
    if (!/\.jsonl(?:\.(?:reset|deleted)\..*)?$/u.test(name) || name.includes('.trajectory')) continue
    const rows = readFileSync(join(directory, name), 'utf8').trimEnd()
    // A fork's file has another name than the session.
    sessions.set(JSON.parse(rows.split('\n')[0] ?? '').id, rows)
  }
  return sessions
}

/** The rows of a session as Verbatim has stored them, or nothing where it does not know the session. */
export async function rowsInVerbatim(home: Home, sessionId: string): Promise<string> {
  const { stdout } = await home.cli(['export', '--format', 'jsonl', `main/${sessionId}`])
  const messages = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  // OpenClaw writes a header anew where a reset changes the directory: both are kept, and the second says so.
  const replaced = new Set(messages.map((message) => message.metadata.replaces_id))
  return messages
    .filter(({ id }) => !replaced.has(id))
    .map(({ content }) => JSON.stringify(content))
    .join('\n')
}

const sessionsSchema = z.object({
  sessions: z.array(z.object({ external_id: z.string(), message_count: z.number() })),
})

/** The sessions that Verbatim knows, by their names there, with how many messages each has. */
export async function sessionsInVerbatim(home: Home): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await home.cli(['sessions', '--json'])
  const { sessions } = sessionsSchema.parse(JSON.parse(stdout))
  return new Map(sessions.map((session) => [session.external_id, session.message_count]))
}
