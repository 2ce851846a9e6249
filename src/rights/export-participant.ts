import { NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { checkName } from '../model/validate.ts'
import { exportedMessages } from '../sessions/exports/export-session.ts'
import { writeSession, type ExportedMessage, type ExportFormat } from '../sessions/exports/write-session.ts'
import type { ReadDependencies } from '../sessions/session-page.ts'
import type { SessionKey } from '../store/messages.ts'
import {
  factsOfParticipant,
  readersOfParticipant,
  sessionsOfParticipant,
  vectorsOfParticipant,
  type ParticipantSession,
} from '../store/rights/participant.ts'
import type { SessionRow } from '../store/session-row.ts'
import { sessionsById } from '../store/sessions.ts'
import { summariesOf } from '../store/summaries/summaries.ts'
import { HashedFile, type ExportDirectory } from './export-files.ts'
import { Manifest } from './manifest.ts'
import { OthersView, type OthersShown } from './others.ts'
import type { Recipient } from './recipients.ts'

export interface ParticipantExport {
  /** As the messages name their sender, exactly. */
  readonly participant: string
  readonly format: ExportFormat
  readonly others: OthersShown
  /** Why it was asked for: a matter number, say. In the manifest alone. */
  readonly reason?: string | undefined
  /** Who gets what by the settings as they are. */
  readonly recipients: readonly Recipient[]
  /** The program that writes it, and its version. */
  readonly product: string
  readonly now: Date
}

/** What an export has written. */
export interface ExportedParticipant {
  readonly sessions: number
  readonly messages: number
  /** Of those the ones whose bytes are missing or altered. */
  readonly damaged: number
  readonly derived: number
  readonly readers: number
}

const extensions = {
  json: 'json',
  jsonl: 'jsonl',
  markdown: 'md',
  html: 'html',
  vcon: 'vcon.json',
} as const satisfies Record<ExportFormat, string>

interface Writing {
  readonly dependencies: ReadDependencies
  readonly caller: Caller
  readonly input: ParticipantExport
  readonly directory: ExportDirectory
  readonly manifest: Manifest
  readonly derived: HashedFile
  readonly counts: { sessions: number; messages: number; damaged: number; derived: number }
  readonly shown: ShownPlaces
}

/**
 * Writes out what is kept of one participant over all sessions, a file for each, with what was made from their messages and a
 * manifest of it all. What others said in the same sessions is left out or not, as the input says. Memory is bounded by a page
 * of messages, however much there is.
 */
export async function exportParticipant(
  dependencies: ReadDependencies,
  caller: Caller,
  { directory, ...input }: ParticipantExport & { readonly directory: ExportDirectory },
): Promise<ExportedParticipant> {
  const { database } = dependencies
  const { tenantId } = caller
  const participant = checkName(input.participant, {
    field: 'participant',
    charactersMax: limits.nameCharactersMax,
    isRequired: true,
  })
  const found = await database.run((sql) => sessionsOfParticipant(sql, tenantId, participant))
  if (found.length === 0)
    throw new NotFoundError('There is no message of a participant of this name', {
      remedy:
        'Give the name exactly as messages have it: "verbatim sessions --json" lists the participants of each session',
    })
  const manifest = new Manifest(await HashedFile.create(directory, 'manifest.json'))
  await manifest.begin(aboutOf(caller, input))
  const derived = await HashedFile.create(directory, 'derived.jsonl')
  const counts = { sessions: 0, messages: 0, damaged: 0, derived: 0 }
  const shown = new ShownPlaces(caller)
  const writing: Writing = { dependencies, caller, input, directory, manifest, derived, counts, shown }
  for (const own of found) {
    const [session] = await sessionsById(database, tenantId, [own.sessionId])
    // One that is erased at this moment has nothing to be written.
    if (session !== undefined) await writeOwn(writing, session, own)
  }
  for (const fact of await factsOfParticipant(database, tenantId, participant))
    await writeDerived(writing, {
      kind: 'fact',
      id: fact.id,
      fact_kind: fact.kind,
      fact: fact.fact,
      message_ids: fact.message_ids,
    })
  const readers = await database.run((sql) => readersOfParticipant(sql, tenantId, participant))
  const vectors = await database.run((sql) => vectorsOfParticipant(sql, tenantId, participant))
  await manifest.end({
    derived: await derived.close(),
    counts: { ...counts, vectors: vectors.reduce((sum, one) => sum + one.vectors, 0) },
    vectors,
    recipients: { readers, by_settings: input.recipients },
  })
  if (caller.call !== undefined) caller.call.count = counts.messages
  return { ...counts, readers: readers.length }
}

function aboutOf(
  { principal, client }: Caller,
  { participant, format, others, reason, product, now }: ParticipantExport,
) {
  return {
    version: 1,
    participant,
    requested_at: now.toISOString(),
    requested_by: { actor: principal, client, ...(reason === undefined ? {} : { reason }) },
    written_by: product,
    format,
    others,
  }
}

async function writeOwn(writing: Writing, session: SessionRow, own: ParticipantSession): Promise<void> {
  const { dependencies, caller, input, manifest } = writing
  const { participant, others: shown, format } = input
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const others = await OthersView.of(session, {
    participant,
    shown,
    tenantId: caller.tenantId,
    database: dependencies.database,
  })
  await manifest.beginSession(session.id)
  const file = await HashedFile.create(writing.directory, `sessions/${session.id}.${extensions[format]}`)
  const head = await others.head(session, own.messages)
  // What is saved meanwhile is not a part of it: the head counts what is.
  const messages = exportedMessages(dependencies, {
    key,
    sender: others.sender,
    toSeq: others.sender === undefined ? session.lastSeq : own.lastSeq,
    show: (row, body) => others.message(row, body),
  })
  const written = { head, messages: listed(writing, messages), summary: async () => await Promise.resolve(undefined) }
  for await (const text of writeSession(format, written)) await file.write(text)
  await manifest.endSession({ ...(await file.close()), messages_of_others: session.messageCount - own.messages })
  await writeSummaries(writing, key, others)
  writing.counts.sessions++
}

/** The messages as they are, each of the participant's own put on the manifest. */
async function* listed(
  { input, manifest, counts, shown }: Writing,
  messages: AsyncIterable<ExportedMessage>,
): AsyncGenerator<ExportedMessage> {
  for await (const message of messages) {
    const { row, body } = message
    shown.add(row.sessionId, row.seq)
    if (row.sender === input.participant) {
      const error = 'error' in body ? body.error : undefined
      await manifest.message(row, error)
      counts.messages++
      if (error !== undefined) counts.damaged++
    }
    yield message
  }
  shown.end()
}

async function writeSummaries(writing: Writing, key: SessionKey, others: OthersView): Promise<void> {
  for (const summary of await summariesOf(writing.dependencies.database, key)) {
    const line = await others.summary(summary)
    if (line !== undefined) await writeDerived(writing, line)
  }
}

async function writeDerived({ derived, counts }: Writing, line: Readonly<Record<string, unknown>>): Promise<void> {
  await derived.write(`${JSON.stringify(line)}\n`)
  counts.derived++
}

/** Notes for the audit log what was written out. */
class ShownPlaces {
  readonly #caller: Caller
  #current: { readonly sessionId: string; first: number; last: number } | undefined

  constructor(caller: Caller) {
    this.#caller = caller
  }

  add(sessionId: string, seq: number): void {
    const current = this.#current
    if (current?.sessionId === sessionId && seq === current.last + 1) {
      current.last = seq
      return
    }
    this.end()
    this.#current = { sessionId, first: seq, last: seq }
  }

  end(): void {
    const current = this.#current
    this.#current = undefined
    if (current !== undefined) this.#caller.call?.showStretch(current.sessionId, current)
  }
}
