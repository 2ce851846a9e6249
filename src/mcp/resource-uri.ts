/** What a resource URI names. Ids arrive percent-encoded and are given here as they are. */
export type ResourceTarget =
  | {
      readonly kind: 'session'
      readonly id: string
      readonly view: 'json' | 'transcript' | 'summary' | 'context'
      readonly cursor?: string
    }
  | { readonly kind: 'message'; readonly id: string; readonly messageId: string }
  | { readonly kind: 'sessions'; readonly cursor?: string }
  | { readonly kind: 'pseudonym'; readonly token: string }
  | { readonly kind: 'status' }
  | { readonly kind: 'profile'; readonly cursor?: string }

const sessionPattern = /^session:\/\/([^/?#]+)(?:\/(transcript|summary|context))?(?:\?cursor=([^&#]+))?$/
const messagePattern = /^session:\/\/([^/?#]+)\/messages\/([^/?#]+)$/
const pseudonymPattern = /^memory:\/\/pseudonyms\/([^/?#]+)$/
const memoryPattern = /^memory:\/\/(sessions|status|profile)(?:\?cursor=([^&#]+))?$/

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** Reads a resource URI, or undefined where it is none of ours. */
export function parseResourceUri(uri: string): ResourceTarget | undefined {
  const message = messagePattern.exec(uri)
  if (message !== null) {
    const id = decode(message[1] ?? '')
    const messageId = decode(message[2] ?? '')
    return id === undefined || messageId === undefined ? undefined : { kind: 'message', id, messageId }
  }
  const session = sessionPattern.exec(uri)
  if (session !== null) {
    const id = decode(session[1] ?? '')
    const cursor = session[3] === undefined ? undefined : decode(session[3])
    if (id === undefined) return undefined
    const view = session[2]
    const known = view === 'transcript' || view === 'summary' || view === 'context' ? view : 'json'
    return { kind: 'session', id, view: known, ...(cursor === undefined ? {} : { cursor }) }
  }
  const pseudonym = pseudonymPattern.exec(uri)
  if (pseudonym !== null) {
    const token = decode(pseudonym[1] ?? '')
    return token === undefined ? undefined : { kind: 'pseudonym', token }
  }
  const memory = memoryPattern.exec(uri)
  if (memory === null) return undefined
  const cursor = memory[2] === undefined ? undefined : decode(memory[2])
  if (memory[1] === 'status') return { kind: 'status' }
  return { kind: memory[1] === 'sessions' ? 'sessions' : 'profile', ...(cursor === undefined ? {} : { cursor }) }
}

/** The URI of a session, or of one of its views. */
export function sessionUri(id: string, view?: 'transcript' | 'summary' | 'context'): string {
  return `session://${encodeURIComponent(id)}${view === undefined ? '' : `/${view}`}`
}
