import type { Config } from '../config.ts'
import { describeRootKey } from '../crypto/root-key.ts'
import type { Caller } from '../model/access.ts'
import { shownAddress } from '../model/server-address.ts'
import type { Database } from '../store/database.ts'
import { homePathsOf } from '../store/embedded/home.ts'
import { readPolicies } from '../store/erasure/retention.ts'
import { countSealed } from '../store/keys/encryption-keys.ts'
import { readSources, readTallies, type Tallies } from '../store/rights/tallies.ts'
import { recipientsBySettings, type Recipient } from './recipients.ts'

/** Where something of what is kept lies. */
interface Place {
  readonly what: string
  readonly place: string
  readonly holds: string
}

/** How long what is kept; limits that are not there do not limit. */
interface RetentionRule {
  readonly scope: string
  readonly target: string | null
  readonly age_days_max?: number
  readonly idle_days_max?: number
  readonly messages_max?: number
  readonly bytes_max?: number
}

/** What a record of processing says of this store, as it is set and filled at this moment. */
export interface ProcessingRecord {
  readonly generated_at: string
  readonly generated_by: string
  readonly tenant: string
  readonly purposes: readonly { readonly purpose: string; readonly state: string }[]
  readonly categories: readonly { readonly category: string; readonly of: string; readonly data: string }[]
  readonly holdings: Tallies
  readonly sources: readonly { readonly source: string; readonly sessions: number }[]
  readonly stores: readonly Place[]
  readonly recipients: readonly Recipient[]
  readonly retention: readonly RetentionRule[]
  readonly encryption: {
    readonly setting: 'on' | 'off'
    readonly root_key: string | null
    readonly sessions_encrypted: number
    readonly sessions_not_encrypted: number
  }
  readonly measures: readonly string[]
}

export interface RecordedStore {
  readonly database: Database
  readonly config: Config
  readonly product: string
  readonly now: Date
}

/** Reads what there is to say: settings, counts and policies. Names of people are not part of it, and no secret. */
export async function processingRecord(store: RecordedStore, { tenantId }: Caller): Promise<ProcessingRecord> {
  const { database, config, product, now } = store
  const holdings = await database.run((sql) => readTallies(sql, tenantId))
  const policies = await database.run((sql) => readPolicies(sql, tenantId))
  const { sealed, plain } = await database.run((sql) => countSealed(sql, tenantId))
  const encrypts = await database.vault.sealsNew(tenantId)
  return {
    generated_at: now.toISOString(),
    generated_by: product,
    tenant: config.tenant ?? 'default',
    purposes: purposesOf(config),
    categories,
    holdings,
    sources: await database.run((sql) => readSources(sql, tenantId)),
    stores: storesOf(config),
    recipients: recipientsBySettings(config, encrypts),
    retention: policies.map(({ scope, target, ageDaysMax, idleDaysMax, messagesMax, bytesMax }) => ({
      scope,
      target,
      ...(ageDaysMax === undefined ? {} : { age_days_max: ageDaysMax }),
      ...(idleDaysMax === undefined ? {} : { idle_days_max: idleDaysMax }),
      ...(messagesMax === undefined ? {} : { messages_max: messagesMax }),
      ...(bytesMax === undefined ? {} : { bytes_max: bytesMax }),
    })),
    encryption: {
      setting: encrypts ? 'on' : 'off',
      root_key: encrypts || sealed > 0 ? describeRootKey(config.encryption.rootKey) : null,
      sessions_encrypted: sealed,
      sessions_not_encrypted: plain,
    },
    measures: measuresOf(config),
  }
}

/** Models on this machine make vectors too: who gets them is not somebody else. */
function purposesOf({
  embedder,
  vectors,
  writer,
  expansion,
  learns,
  learner,
  names,
}: Config): ProcessingRecord['purposes'] {
  const byMeaning =
    embedder.kind === 'none' || vectors.kind === 'none' ? 'off' : `on, with the embedder "${embedder.kind}"`
  return [
    { purpose: 'keeping conversations of people and agents, word for word', state: 'on' },
    { purpose: 'finding them again by words', state: 'on' },
    { purpose: 'finding them again by meaning', state: byMeaning },
    { purpose: 'asking a model for other words to search for', state: expansion === undefined ? 'off' : 'on' },
    {
      purpose: 'summaries: sentences of the conversations, or what a client or a model wrote',
      state: writer === undefined ? 'on, without a model' : 'on, also by a model',
    },
    {
      purpose: 'knowing in other sessions what was told: facts, preferences, decisions, what helped',
      state: !learns ? 'off' : learner === undefined ? 'on, by patterns of words' : 'on, also by a model',
    },
    {
      purpose: 'finding names of people, places and organizations, to show and keep conversations without them',
      state:
        names === undefined
          ? 'on, by rules'
          : names.kind === 'model'
            ? 'on, also by a model'
            : 'on, also by a model on this machine',
    },
    { purpose: 'showing who did what (audit log)', state: 'on' },
  ]
}

const categories: ProcessingRecord['categories'] = [
  {
    category: 'content',
    of: 'everybody who takes part in a conversation, and whom it is about',
    data: 'messages with whatever was said in them, special categories included where somebody spoke of them',
  },
  {
    category: 'circumstances',
    of: 'everybody who takes part in a conversation',
    data: 'names of senders, times, roles, models, tools, tokens used, ids and paths of sources',
  },
  {
    category: 'derived',
    of: 'everybody who takes part in a conversation',
    data: 'index of words, vectors, sentiment of English messages, summaries, learned facts, names that a model found, what tokens of pseudonymised views stand for, which results were used',
  },
  {
    category: 'access',
    of: 'users and programs',
    data: 'names, access tokens as hashes, roles, the audit log without content, reasons that were given for holds, restrictions, corrections and the like',
  },
]

function storesOf(config: Config): Place[] {
  const { store, archive, home, vectors } = config
  const paths = homePathsOf(home)
  const database = {
    holds: 'messages, index, summaries, what pseudonyms stand for (sealed), audit log, reasons, wrapped keys',
  }
  return [
    store.kind === 'server'
      ? { what: 'database', place: shownAddress(store.url), ...database }
      : { what: 'database', place: paths.database, ...database },
    {
      what: 'archive',
      place: archive.kind === 's3' ? `s3://${archive.bucket}/${archive.prefix}` : (archive.path ?? paths.archive),
      holds: 'a copy of all sessions, imported files, payloads above 1 MiB, signed heads of the audit log',
    },
    {
      what: 'vectors',
      place: { none: 'nowhere', pgvector: 'the database', pinecone: 'Pinecone' }[vectors.kind],
      holds: 'vectors of messages with their ids, times and roles',
    },
    { what: 'keys', place: `${home}/keys`, holds: 'the keys that are not named by a setting, as that of pseudonyms' },
  ]
}

function measuresOf({ oauth, tracing, audit }: Config): string[] {
  return [
    `every call is on record without content; while that cannot be written, calls ${audit.failure === 'refuse' ? 'that write are refused' : 'go on'}`,
    'over HTTP each request proves who it is from: access tokens with scopes and roles',
    ...(oauth === undefined ? [] : [`tokens of the authorization server ${new URL(oauth.issuer).host} are taken`]),
    'tenants are kept apart by row level security on a server',
    'views and exports without personal data and secrets that rules find',
    'erasure from every store with a receipt; restriction; export of what is kept of a participant; legal hold',
    ...(tracing === undefined ? [] : ['traces without content go to a collector']),
  ]
}
