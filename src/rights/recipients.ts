import type { Config, GeneratorSettings } from '../config.ts'
import { shownAddress } from '../model/server-address.ts'

/** Somebody else than this program who gets something of what is kept, by the settings as they are. */
export interface Recipient {
  readonly name: string
  readonly receives: string
  readonly purpose: string
  /** Where, without what lets one in. */
  readonly place: string
}

const geminiHost = 'generativelanguage.googleapis.com'

function hostOf(url: string | undefined, usual: string): string {
  return url === undefined ? usual : new URL(url).host
}

function embedder({ embedder: settings }: Config): Recipient[] {
  const what = {
    receives: 'text of messages with the names of their senders, and texts of queries',
    purpose: 'vectors for search by meaning',
  }
  if (settings.kind === 'gemini')
    return [{ name: 'Google (Gemini API)', ...what, place: hostOf(settings.baseUrl, geminiHost) }]
  if (settings.kind === 'openai-compatible')
    return [{ name: 'OpenAI-compatible server', ...what, place: hostOf(settings.url, '') }]
  return []
}

function expansion({ expansion: settings }: Config): Recipient[] {
  return writer(settings, { receives: 'texts of queries', purpose: 'other words to search for' })
}

function summaries({ writer: settings }: Config): Recipient[] {
  return writer(settings, {
    receives: 'messages of sessions that are summarized, with the names of their senders',
    purpose: 'summaries',
  })
}

function learning({ learner: settings }: Config): Recipient[] {
  return writer(settings, {
    receives: 'new messages of users and assistants with the names of their senders',
    purpose: 'facts to be known in other sessions',
  })
}

function names({ names: settings }: Config): Recipient[] {
  if (settings?.kind !== 'model') return []
  return writer(settings.writer, {
    receives: 'messages, each once, without the secrets, card and account numbers that are found in them',
    purpose: 'names to be masked in views without personal data',
  })
}

/** A model that writes. */
function writer(settings: GeneratorSettings | undefined, what: Pick<Recipient, 'receives' | 'purpose'>): Recipient[] {
  if (settings === undefined) return []
  return settings.kind === 'gemini'
    ? [{ name: 'Google (Gemini API)', ...what, place: hostOf(settings.baseUrl, geminiHost) }]
    : [{ name: 'OpenAI-compatible server', ...what, place: hostOf(settings.url, '') }]
}

function vectors({ vectors: settings }: Config): Recipient[] {
  if (settings.kind !== 'pinecone') return []
  return [
    {
      name: 'Pinecone',
      receives: 'ids of sessions, numbers, times and roles of messages, and vectors; no text',
      purpose: 'nearest vectors of search by meaning',
      place: `index ${settings.index} at ${hostOf(settings.controllerHostUrl, 'api.pinecone.io')}`,
    },
  ]
}

function archive({ archive: settings }: Config, encrypts: boolean): Recipient[] {
  if (settings.kind !== 's3') return []
  const state = encrypts ? 'encrypted, as far as sessions are' : 'not encrypted by Verbatim'
  return [
    {
      name: settings.endpoint === undefined ? 'Amazon S3' : 'S3 server',
      receives: `sessions, imported files and payloads above 1 MiB, ${state}; signed heads of the audit log; hashes of what was erased`,
      purpose: 'archive',
      place: `s3://${settings.bucket}/${settings.prefix} at ${settings.endpoint === undefined ? `region ${settings.region}` : hostOf(settings.endpoint, '')}`,
    },
  ]
}

function database({ store }: Config, encrypts: boolean): Recipient[] {
  if (store.kind !== 'server') return []
  const state = encrypts ? 'new sessions encrypted' : 'not encrypted by Verbatim'
  return [
    {
      name: 'PostgreSQL server',
      receives: `everything, ${state}`,
      purpose: 'the store',
      place: shownAddress(store.url),
    },
  ]
}

function tracing({ tracing: settings }: Config): Recipient[] {
  if (settings === undefined) return []
  return [
    {
      name: 'OpenTelemetry collector',
      receives: 'names, times and outcomes of calls; no content',
      purpose: 'traces for the operator',
      place: hostOf(settings.url, ''),
    },
  ]
}

/** In the order of how much they get; `encrypts`: whether what is new is sealed before. */
export function recipientsBySettings(config: Config, encrypts: boolean): readonly Recipient[] {
  return [database, archive, embedder, summaries, learning, names, expansion, vectors, tracing].flatMap((read) =>
    read(config, encrypts),
  )
}
