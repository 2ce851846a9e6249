import type { HostContext } from './host.ts'

export interface Session {
  readonly agentId: string
  readonly sessionId: string
  readonly sessionKey: string
}

/** Keys of sessions that OpenClaw keeps in memory only and that are never captured. */
const incognitoKey = /^agent:[^:]+:(?:dashboard|subagent|internal-session-effects):incognito-[^:]+$/u
/** Both become names of files. OpenClaw gives out no others. */
const safeName = /^(?!\.)[\w.-]{1,180}$/u

/** Whether a name may be that of an agent or of a session. */
export function isSafeName(name: string): boolean {
  return safeName.test(name)
}

export function isIncognito(sessionKey: string): boolean {
  return incognitoKey.test(sessionKey.trim().toLowerCase())
}

/** Whether others read along: a group, a channel or a room of a messenger. */
export function isShared(sessionKey: string): boolean {
  const place = sessionKey
    .trim()
    .toLowerCase()
    .replace(/^agent:[^:]+/u, '')
  return /(?:^|:)(?:group|channel|room):/u.test(place)
}

/**
 * The session that something happened in. Undefined where it may not be captured: it is incognito, or it has no key to
 * tell whether it is.
 */
export function capturedSession(context: HostContext): Session | undefined {
  const { sessionId, sessionKey } = context
  if (sessionId === undefined || sessionKey === undefined || isIncognito(sessionKey)) return undefined
  const agentId = context.agentId ?? /^agent:(?<agent>[^:]+):/u.exec(sessionKey)?.groups?.['agent'] ?? 'main'
  if (!isSafeName(agentId) || !isSafeName(sessionId)) return undefined
  return { agentId, sessionId, sessionKey }
}
