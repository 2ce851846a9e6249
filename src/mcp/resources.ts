import { NotFoundError } from '../errors.ts'
import { renderSummary } from '../insight/summaries/render-summary.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { counted } from '../model/text/counted.ts'
import { renderSession } from '../sessions/render.ts'
import type { Verbatim } from '../verbatim.ts'
import { contextOptions } from './context-options.ts'
import { parseResourceUri, sessionUri, type ResourceTarget } from './resource-uri.ts'

export interface ResourceListing {
  readonly uri: string
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly mimeType: string
}

export interface ResourceContents {
  readonly uri: string
  readonly mimeType: string
  readonly text: string
}

const json = 'application/json'
const markdown = 'text/markdown'

export const fixedResources: readonly ResourceListing[] = [
  { uri: 'memory://sessions', name: 'sessions', description: 'Recent sessions, newest first', mimeType: json },
  {
    uri: 'memory://status',
    name: 'status',
    description: 'What the memory holds, whether its index is up to date, and what on this machine is not stored yet',
    mimeType: json,
  },
  {
    uri: 'memory://profile',
    name: 'profile',
    description:
      'Who and what the memory knows: people, models, tools, sources, learned facts with their ids; next_cursor goes into ?cursor=',
    mimeType: json,
  },
]

export const resourceTemplates = [
  {
    uriTemplate: 'session://{session_id}',
    name: 'session',
    description: 'A session as JSON, its first page; next_cursor goes into ?cursor=',
    mimeType: json,
  },
  {
    uriTemplate: 'session://{session_id}/transcript',
    name: 'transcript',
    description: 'A session to read',
    mimeType: markdown,
  },
  {
    uriTemplate: 'session://{session_id}/summary',
    name: 'summary',
    description: 'A summary with its sources',
    mimeType: markdown,
  },
  {
    uriTemplate: 'session://{session_id}/context',
    name: 'context',
    description: 'What was said before that this session is likely to need',
    mimeType: json,
  },
  {
    uriTemplate: 'session://{session_id}/messages/{message_id}',
    name: 'message',
    description: 'One message whole, whatever its size',
    mimeType: json,
  },
  {
    uriTemplate: 'memory://pseudonyms/{token}',
    name: 'pseudonym',
    description: 'What a token of a pseudonymised view stands for; for owners with the scope memory:admin',
    mimeType: json,
  },
  {
    uriTemplate: 'memory://sessions{?cursor}',
    name: 'sessions page',
    description: 'Further pages of the list of sessions',
    mimeType: json,
  },
  {
    uriTemplate: 'memory://profile{?cursor}',
    name: 'facts page',
    description: 'Further pages of what was learned',
    mimeType: json,
  },
] as const

/** Concrete resources: clients that ignore templates find recent sessions here. */
export async function listResources(
  verbatim: Verbatim,
  caller: Caller,
  cursor: string | undefined,
): Promise<{ resources: ResourceListing[]; nextCursor?: string }> {
  const page = await verbatim.listSessions(caller, { limit: limits.resourcePageSessions, cursor })
  const sessions = page.sessions.map((session) => ({
    uri: sessionUri(session.session_id),
    name: session.session_id,
    ...(session.title === undefined ? {} : { title: session.title }),
    description: `${session.begins_with === undefined ? '' : `“${session.begins_with}”: `}${session.source} session, ${counted(session.message_count, 'message')}, last active ${session.last_active_at}`,
    mimeType: json,
  }))
  return {
    resources: cursor === undefined ? [...fixedResources, ...sessions] : sessions,
    ...(page.next_cursor === undefined ? {} : { nextCursor: page.next_cursor }),
  }
}

function asJson(uri: string, value: unknown): ResourceContents {
  return { uri, mimeType: json, text: JSON.stringify(value, null, 2) }
}

async function readSession(
  verbatim: Verbatim,
  caller: Caller,
  request: { readonly uri: string; readonly target: ResourceTarget & { kind: 'session' } },
): Promise<ResourceContents> {
  const { uri, target } = request
  const page = {
    sessionId: target.id,
    limit: limits.pageMessagesMax,
    maxTokens: limits.resultTokensMax,
    cursor: target.cursor,
  }
  switch (target.view) {
    case 'json':
      return asJson(uri, await verbatim.getSession(caller, { ...page, view: 'full' }))
    case 'transcript':
      return {
        uri,
        mimeType: markdown,
        text: renderSession(await verbatim.getSession(caller, { ...page, view: 'compact' })),
      }
    case 'summary': {
      const summary = await verbatim.summarize(caller, {
        sessionId: target.id,
        style: 'brief',
        maxTokens: limits.summaryTokensDefault,
        refresh: false,
        keep: false,
      })
      return { uri, mimeType: markdown, text: renderSummary(summary) }
    }
    case 'context':
      return asJson(uri, await verbatim.recallContext(caller, { sessionId: target.id, ...contextOptions }))
    default:
      return target.view satisfies never
  }
}

/** Reads a resource. Throws NotFoundError for a URI that names nothing. */
export async function readResource(verbatim: Verbatim, caller: Caller, uri: string): Promise<ResourceContents> {
  const target = parseResourceUri(uri)
  switch (target?.kind) {
    case undefined:
      throw new NotFoundError(`No resource "${uri}"`, {
        remedy: 'Call resources/list and resources/templates/list to see what there is',
      })
    case 'session':
      return readSession(verbatim, caller, { uri, target })
    case 'message':
      return asJson(uri, await verbatim.readMessage(caller, { sessionId: target.id, messageId: target.messageId }))
    case 'sessions':
      return asJson(uri, await verbatim.listSessions(caller, { limit: limits.pageSessionsMax, cursor: target.cursor }))
    case 'status':
      return asJson(uri, await verbatim.status(caller))
    case 'profile':
      return asJson(uri, await verbatim.profile(caller, target.cursor))
    case 'pseudonym':
      return asJson(uri, await verbatim.revealPseudonym(caller, target.token))
    default:
      return target satisfies never
  }
}
