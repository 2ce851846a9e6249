import { refusal } from '../mcp/http.ts'
import type { Scope } from '../model/access.ts'
import { ordinaryScopes, type ProtectedResource } from './protected-resource.ts'

/** Refuses a request that has no token, or one that is good for nothing, and says how to get one (RFC 6750, RFC 9728). */
export function unauthorized(
  message: string,
  { error, resource }: { readonly error?: 'invalid_token'; readonly resource: ProtectedResource | undefined },
): Response {
  const ours = '"verbatim token create" makes one'
  const remedy = resource === undefined ? ours : `${resource.issuer} gives one, or ${ours}`
  const parameters = { error, ...pointersTo(resource, ordinaryScopes) }
  return refusal(401, `${message}. ${remedy}`, { 'www-authenticate': challenge(parameters) })
}

/** Refuses what a token's scopes do not allow; a client may ask the authorization server for these and come again. */
export function insufficientScope(scopes: readonly Scope[], resource: ProtectedResource | undefined): Response {
  const message = `The access token lacks the scope ${scopes.join(' ')}`
  const parameters = { error: 'insufficient_scope', error_description: message, ...pointersTo(resource, scopes) }
  return refusal(403, `${message}. Ask for one that has it`, { 'www-authenticate': challenge(parameters) })
}

function pointersTo(resource: ProtectedResource | undefined, scopes: readonly Scope[]) {
  return resource === undefined ? {} : { scope: scopes.join(' '), resource_metadata: resource.metadataUrl }
}

function challenge(parameters: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : `${name}="${value}"`))
  return `Bearer ${['realm="verbatim"', ...pairs].join(', ')}`
}
