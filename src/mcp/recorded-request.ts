import { InputError } from '../errors.ts'
import type { Scope } from '../model/access.ts'
import type { CallDescription } from '../model/call.ts'
import { text, type Params } from './protocol-answers.ts'
import { parseResourceUri } from './resource-uri.ts'

/** How a request is told of in the audit log. Names are our own: what a caller wrote may be content. */
export interface RecordedRequest extends Pick<CallDescription, 'action'> {
  readonly nameOf: (params: Params) => string
  /** What it needs; `memory:read` where nothing is said. */
  readonly scopeOf?: (params: Params) => Scope
}

export function request(method: string): RecordedRequest {
  return { action: 'call.request', nameOf: () => method }
}

/** Whoever reads what stands behind pseudonyms needs more than to read. */
export function scopeOfUri(uri: unknown): Scope {
  const target = typeof uri === 'string' ? parseResourceUri(uri) : undefined
  return target?.kind === 'pseudonym' ? 'memory:admin' : 'memory:read'
}

export const resourceRead: RecordedRequest = {
  action: 'call.resource',
  nameOf(params) {
    const target = parseResourceUri(text(params, 'uri') ?? '')
    if (target === undefined) return 'unknown'
    return target.kind === 'session' ? `session ${target.view}` : target.kind
  },
  scopeOf: (params) => scopeOfUri(text(params, 'uri')),
}

const promptNames: readonly string[] = ['recall', 'continue_session', 'handoff']

export const promptGet: RecordedRequest = {
  action: 'call.prompt',
  nameOf(params) {
    const name = text(params, 'name') ?? ''
    return promptNames.includes(name) ? name : 'unknown'
  },
}

export function lacksScope(scope: Scope): InputError {
  return new InputError(`Cannot do this as the access token lacks the scope ${scope}`, {
    remedy: `Use a token that has it: verbatim token create --scopes ${scope}`,
  })
}

/** A tool that is there and not on offer to a caller is denied to them; any other name is not told. */
export async function refusedTool(
  name: string,
): Promise<{ readonly description: CallDescription; readonly reason: string }> {
  const { isToolName } = await import('./tool-list.ts')
  return isToolName(name)
    ? { description: { action: 'call.tool', tool: name }, reason: 'not offered' }
    : { description: { action: 'call.tool', tool: 'unknown' }, reason: 'unknown' }
}
