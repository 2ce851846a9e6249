import { requireSession } from '../../capture/session-reference.ts'
import { KeysMissing } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import type { MessageRow, SessionKey } from '../../store/messages.ts'
import { pagedMessages } from '../../store/page-messages.ts'
import { readSentiments } from '../../store/search/search-units.ts'
import { latestSummary } from '../../store/summaries/summaries.ts'
import { sessionHead, type MessageBody } from '../document.ts'
import { keepGiven } from '../keep-given.ts'
import { messageBody } from '../message-body.ts'
import { withFlags } from '../message-flags.ts'
import { MessageView, type ViewChoice } from '../message-view.ts'
import { namesNote } from '../names-note.ts'
import type { ReadDependencies } from '../session-page.ts'
import { shownOf, type ShownSummary } from '../summary-members.ts'
import { writeSession, type ExportedMessage, type ExportFormat } from './write-session.ts'

export interface ExportChoice {
  readonly sessionId: string
  readonly format: ExportFormat
  /** Absent for all that is stored. */
  readonly view?: Pick<ViewChoice, 'view' | 'scope'> | undefined
  /** Told how far names were looked for, where a view is without personal data. */
  readonly tell?: ((note: string) => void) | undefined
  /** Told of messages that say what is wrong with them in the place of their content. */
  readonly onDamage?: ((messages: number) => void) | undefined
}

/** Which messages of a session are written out, and how. */
export interface MessageChoice {
  readonly key: SessionKey
  /** Of this sender alone. */
  readonly sender?: string | undefined
  readonly toSeq?: number | undefined
  /** How one is shown, where it is not as it is stored. */
  readonly show?: ((row: MessageRow, body: MessageBody) => Promise<Omit<ExportedMessage, 'sentiment'>>) | undefined
}

/** Messages in their order, a page of them in memory. */
export async function* exportedMessages(
  { database, archive }: ReadDependencies,
  { key, sender, toSeq, show }: MessageChoice,
): AsyncGenerator<ExportedMessage> {
  for await (const rows of pagedMessages(database, key, { fromSeq: 1, toSeq, sender, withFlags: true })) {
    const range = { fromSeq: rows[0]?.seq ?? 1, toSeq: rows.at(-1)?.seq ?? 1 }
    const sentiments = await database.run((sql) => readSentiments(sql, key, range))
    for (const row of rows) {
      const body = await messageBody(archive, row)
      const stored = withFlags(row, body)
      const shown = (await show?.(stored, body)) ?? { row: stored, body }
      yield { ...shown, sentiment: sentiments.get(stored.seq) ?? null }
    }
  }
}

/** Throws KeysMissing where nothing that was said in a session can be read, as its key is not there. */
export async function requireReadable(
  { database }: Pick<ReadDependencies, 'database'>,
  caller: Caller,
  reference: string,
): Promise<void> {
  const { id: sessionId, keyVersion: version } = await requireSession(database, caller, reference)
  if (version === 0) return
  const seals = await database.vault.sealsOf(caller.tenantId, [{ sessionId, version }])
  if (seals(sessionId, version) === undefined)
    throw new KeysMissing(
      `Cannot export session "${sessionId}" as it is encrypted and its key is missing or was altered`,
      {
        remedy:
          'Run "verbatim restore --keys", which takes keys from the archive, or restore the table encryption_keys from a backup',
      },
    )
}

/** A whole session, streamed as text. */
export async function* exportSession(
  dependencies: ReadDependencies,
  caller: Caller,
  choice: ExportChoice,
): AsyncIterable<string> {
  const { database, pseudonymKey } = dependencies
  const { tenantId } = caller
  const session = await requireSession(database, caller, choice.sessionId)
  const key = { tenantId, sessionId: session.id }
  const view =
    choice.view === undefined
      ? undefined
      : await MessageView.of(session, { ...choice.view, database, tenantId, pseudonymKey })
  const whole = sessionHead(session)
  caller.call?.show(session.id)
  if (session.lastSeq > 0) caller.call?.showStretch(session.id, { first: 1, last: session.lastSeq })
  const note = view === undefined ? undefined : await namesNote(dependencies, key)
  if (note !== undefined) choice.tell?.(`Session ${session.id}: ${note}`)
  const head =
    view === undefined ? whole : { ...(await view.head(whole)), ...(note === undefined ? {} : { names_note: note }) }
  const show = view === undefined ? undefined : (row: MessageRow, body: MessageBody) => view.message(row, body)
  const summary = async (): Promise<ShownSummary | undefined> => {
    const latest = await latestSummary(database, key)
    if (latest === undefined) return undefined
    const text = (await view?.text(latest.text)) ?? latest.text
    return shownOf(latest, { text, lastSeq: session.lastSeq })
  }
  const messages = told(exportedMessages(dependencies, { key, show }), choice.onDamage)
  try {
    yield* writeSession(choice.format, { head, messages, summary })
  } finally {
    // Also of what was read by half.
    await keepGiven(dependencies, key, view)
  }
}

async function* told(
  messages: AsyncIterable<ExportedMessage>,
  onDamage: ExportChoice['onDamage'],
): AsyncGenerator<ExportedMessage> {
  let damaged = 0
  for await (const message of messages) {
    if ('error' in message.body && message.row.isWithheld !== true) damaged++
    yield message
  }
  if (damaged > 0) onDamage?.(damaged)
}
