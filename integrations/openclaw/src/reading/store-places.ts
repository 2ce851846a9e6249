import { join } from 'node:path'

/** Where OpenClaw keeps the sessions of an agent: in a database, or before 2026.8 in files. */
export function placesOf(
  stateDirectory: string,
  agentId: string,
): { readonly database: string; readonly files: string } {
  const agent = join(stateDirectory, 'agents', agentId)
  return { database: join(agent, 'agent', 'openclaw-agent.sqlite'), files: join(agent, 'sessions') }
}
