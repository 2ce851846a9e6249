import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

import { z } from 'zod'

import { absolutePath } from './config/absolute-path.ts'
import { archiveSettingsShape, readArchiveSettings, type ArchiveSettings } from './config/archive-settings.ts'
import { auditSettingsShape, readAuditSettings, type AuditSettings } from './config/audit-settings.ts'
import { embedderSettingsShape, readEmbedderSettings, type EmbedderSettings } from './config/embedder-settings.ts'
import {
  encryptionSettingsShape,
  readEncryptionSettings,
  type EncryptionSettings,
} from './config/encryption-settings.ts'
import { httpSettingsShape, readHttpSettings, type HttpSettings } from './config/http-settings.ts'
import { namesSettingsShape, readNamesSettings, type NamesSettings } from './config/names-settings.ts'
import { oauthSettingsShape, readOAuthSettings, type OAuthSettings } from './config/oauth-settings.ts'
import { privacySettingsShape, readPrivacySettings, type PrivacySettings } from './config/privacy-settings.ts'
import { rankingSettingsShape } from './config/ranking-settings.ts'
import { readStoreSettings, storeSettingsShape, type ProcessRole, type StoreSettings } from './config/store-settings.ts'
import { syncSettingsShape } from './config/sync-settings.ts'
import { readTracingSettings, tracingSettingsShape, type TracingSettings } from './config/tracing-settings.ts'
import { readVectorSettings, vectorSettingsShape, type VectorSettings } from './config/vector-settings.ts'
import {
  readExpansionSettings,
  readRollingSettings,
  readWriterSettings,
  writerOf,
  writerSettingsShape,
  type GeneratorSettings,
  type RollingSettings,
} from './config/writer-settings.ts'
import { InputError, messageOf } from './errors.ts'
import { editDistance } from './model/text/edit-distance.ts'

const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** Every setting, with what it means: docs/configuration.md is made from this. */
const settingsSchema = z.object({
  VERBATIM_HOME: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Directory of the embedded store, an absolute path or one that begins with ~/; made with mode 0700. It must be on a local disk. Default: ~/.verbatim',
    ),
  VERBATIM_IDLE_MINUTES: z.coerce
    .number()
    .min(0.01)
    .max(10_000)
    .default(10)
    .describe('Minutes without a client after which the background process of the embedded store leaves'),
  VERBATIM_CACHE_MIB: z.coerce
    .number()
    .min(0)
    .max(100_000)
    .default(32)
    .describe(
      'MiB of memory for what a process keeps to answer sooner: the order of the results of recent searches, vectors of queries, words that a model added to queries, ids of sessions. 0: nothing is kept',
    ),
  VERBATIM_LOG_LEVEL: z
    .enum(logLevels)
    .default('warn')
    .describe('What is written to stderr: silent, error, warn, info or debug. Message contents are never logged'),
  ...storeSettingsShape,
  ...encryptionSettingsShape,
  ...archiveSettingsShape,
  ...auditSettingsShape,
  ...privacySettingsShape,
  ...embedderSettingsShape,
  ...vectorSettingsShape,
  ...writerSettingsShape,
  ...namesSettingsShape,
  ...rankingSettingsShape,
  ...httpSettingsShape,
  ...oauthSettingsShape,
  ...tracingSettingsShape,
  ...syncSettingsShape,
})

export type { EmbedderSettings } from './config/embedder-settings.ts'
export type { ProcessRole, ServerSettings, StoreSettings } from './config/store-settings.ts'
export type { ArchiveSettings, BucketSettings } from './config/archive-settings.ts'
export { isLoopback } from './config/http-settings.ts'
export type { TracingSettings } from './config/tracing-settings.ts'
export type { VectorSettings } from './config/vector-settings.ts'
export type { GeneratorSettings } from './config/writer-settings.ts'

export interface Config {
  readonly home: string
  readonly idleMinutes: number
  /** Of all caches of a process together; 0 for none. */
  readonly cacheBytesMax: number
  readonly logLevel: (typeof logLevels)[number]
  readonly store: StoreSettings
  /** Whose memory the command line and stdio use, by name; undefined for the first tenant. */
  readonly tenant: string | undefined
  /** What this process does on a server. */
  readonly role: ProcessRole
  readonly encryption: EncryptionSettings
  readonly archive: ArchiveSettings
  /** A session is archived when nothing was saved to it for so long. */
  readonly archiveIdleMs: number
  readonly audit: AuditSettings
  readonly privacy: PrivacySettings
  readonly embedder: EmbedderSettings
  readonly vectors: VectorSettings
  /** The model that writes summaries; undefined where they are extracted. */
  readonly writer: GeneratorSettings | undefined
  /** How quiet sessions are summarised in the background; undefined where they are not. */
  readonly rolling: RollingSettings | undefined
  /** The model that expands queries; undefined where none is to. */
  readonly expansion: GeneratorSettings | undefined
  /** Whether facts are learned from what is saved. */
  readonly learns: boolean
  /** The model that is asked for what patterns do not find; undefined where none is. */
  readonly learner: GeneratorSettings | undefined
  /** What looks for names beside the rules; undefined where nothing does. */
  readonly names: NamesSettings | undefined
  /** Whether which results are used is noted, and what is learned of it counts. */
  readonly learnsRanking: boolean
  readonly http: HttpSettings
  /** The authorization server whose tokens are taken; undefined where there is none. */
  readonly oauth: OAuthSettings | undefined
  /** Where traces are sent; undefined where none are made. */
  readonly tracing: TracingSettings | undefined
  /** What is shown to another store that history is exchanged with. */
  readonly syncToken: string | undefined
  /** Tokens that paid calls may use a day; 0 for none. */
  readonly dailyTokens: number
  /** The settings as they were given, for the processes that are started with them. Secrets are among them. */
  readonly settings: Readonly<Record<string, string>>
}

/** Whether text is embedded: there is an embedder, and a place for what it makes. */
export function makesVectors({ embedder, vectors }: Config): boolean {
  return embedder.kind !== 'none' && vectors.kind !== 'none'
}

/** One row of docs/configuration.md and of `doctor`. */
export interface SettingDescription {
  readonly name: string
  readonly description: string
  readonly default: string | undefined
}

export function describeSettings(): readonly SettingDescription[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => ({
    name,
    description: schema.description ?? '',
    default: schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : undefined,
  }))
}

function refuseUnknownNames(environment: Readonly<Record<string, string | undefined>>): void {
  const known = Object.keys(settingsSchema.shape)
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('VERBATIM_') || known.includes(name)) continue
    const nearest = known.toSorted((a, b) => editDistance(name, a) - editDistance(name, b))[0]
    throw new InputError(`Cannot start as the environment variable "${name}" is not a setting of Verbatim`, {
      remedy: `Did you mean "${nearest}"? Unset "${name}"; docs/configuration.md lists all settings`,
    })
  }
}

/**
 * Reads the configuration from an environment. Nothing is needed: every setting has a default; that of the log level may be
 * another. Throws InputError where a value cannot be used or a `VERBATIM_*` name is unknown.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  usually: { readonly logLevel?: Config['logLevel'] } = {},
): Config {
  refuseUnknownNames(environment)
  // An empty value in a client's configuration file means "not set", as it does in a shell.
  const given = Object.fromEntries(
    Object.keys(settingsSchema.shape).flatMap((name) => {
      const value = environment[name]
      return value === undefined || value === '' ? [] : [[name, value] as const]
    }),
  )
  const parsed = settingsSchema.safeParse(given)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const name = String(issue?.path[0])
    throw new InputError(`Cannot start as the setting "${name}" is not usable: ${issue?.message}`, {
      remedy: `${describeSettings().find((setting) => setting.name === name)?.description}`,
    })
  }
  const settings = parsed.data
  const home =
    settings.VERBATIM_HOME === undefined
      ? join(homedir(), '.verbatim')
      : absolutePath('VERBATIM_HOME', settings.VERBATIM_HOME)
  return {
    home,
    idleMinutes: settings.VERBATIM_IDLE_MINUTES,
    cacheBytesMax: Math.round(settings.VERBATIM_CACHE_MIB * 1024 * 1024),
    logLevel:
      given['VERBATIM_LOG_LEVEL'] === undefined
        ? (usually.logLevel ?? settings.VERBATIM_LOG_LEVEL)
        : settings.VERBATIM_LOG_LEVEL,
    store: readStoreSettings(settings),
    tenant: settings.VERBATIM_TENANT,
    role: settings.VERBATIM_ROLE,
    encryption: readEncryptionSettings(settings, home),
    archive: readArchiveSettings(settings),
    archiveIdleMs: Math.round(settings.VERBATIM_ARCHIVE_IDLE_MINUTES * 60_000),
    audit: readAuditSettings(settings, home),
    privacy: readPrivacySettings(settings, home),
    embedder: readEmbedderSettings(settings),
    vectors: readVectorSettings(settings),
    writer: writerOf(settings),
    rolling: readRollingSettings(settings),
    expansion: readExpansionSettings(settings, readWriterSettings(settings)),
    learns: settings.VERBATIM_LEARNING !== 'off',
    learner: settings.VERBATIM_LEARNING === 'on' ? writerOf(settings) : undefined,
    names: readNamesSettings(settings, writerOf(settings)),
    learnsRanking: settings.VERBATIM_RANKING_LEARNING === 'on',
    http: readHttpSettings(settings),
    oauth: readOAuthSettings(settings),
    tracing: readTracingSettings(settings),
    syncToken: settings.VERBATIM_SYNC_TOKEN,
    dailyTokens: settings.VERBATIM_DAILY_TOKENS,
    settings: given,
  }
}

/** The environment with the values of a file in `.env` form below it: what is set outside wins. */
export function readEnvFile(path: string): Readonly<Record<string, string | undefined>> {
  try {
    return { ...parseEnv(readFileSync(path, 'utf8')), ...process.env }
  } catch (error) {
    throw new InputError(`Cannot read the file "${path}" that --env-file names: ${messageOf(error)}`, { cause: error })
  }
}

/** The environment for those who look for other programs' settings in it. Verbatim's own come from `readConfig`. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env
}

/** Loads the AWS SDK without its advice on versions of Node.js, which is not for who uses this program. */
export async function withoutSdkWarning<T>(load: () => Promise<T>): Promise<T> {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  return await load()
}
