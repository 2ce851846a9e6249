import { VerbatimError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { capturedRows, capturedSessions, type CapturedRow } from '../../store/imports/captured-rows.ts'
import type { Database } from '../../store/database.ts'
import type { SessionRow, SessionRows } from '../../transcripts/format.ts'
import { cleanId, idOfBytes, Occurrences } from '../documents/entry-fields.ts'
import { ErasedSessions } from '../documents/erased-sessions.ts'

/** How much of one session is stored. */
export interface SessionCoverage {
  /** As it is named in the store. */
  readonly session: string
  readonly rows: number
  readonly rows_missing: number
  /** When the first of those was written. */
  readonly missing_since?: string
  readonly last_written_at?: string
  readonly last_captured_at?: string
}

/** When a row was written at the earliest and at the latest, as far as its file tells. */
export interface FileTimes {
  readonly createdAtMs: number
  readonly modifiedAtMs: number
}

interface Counted {
  rows: number
  missing: number
  missingSinceMs: number | undefined
  writtenAtMs: number
  /** Undefined where nothing of it is stored. */
  id: string | undefined
  capturedAtMs: number | undefined
  /** It is not to be stored again, so that nothing of it is missing. */
  isErased: boolean
}

/** Rows and sessions that are asked for in one query. */
const batchMax = 1_000

/**
 * Compares rows of sessions with what is stored, by their ids: a row that was written anew under its old id counts as stored. What
 * was erased here is not missing.
 */
export class SessionComparison {
  readonly #database: Database
  readonly #tenantId: number
  readonly #source: string
  readonly #tombstones: ErasedSessions
  readonly #counted = new Map<string, Counted>()

  constructor(database: Database, { tenantId }: Caller, source: string) {
    this.#database = database
    this.#tenantId = tenantId
    this.#source = source
    this.#tombstones = new ErasedSessions(database, { tenantId, source })
  }

  /** Compares a whole file; how many of its rows are missing, and since when. */
  async compare(pages: AsyncIterable<SessionRows>, times: FileTimes): Promise<MissingRows> {
    const occurrences = new Occurrences()
    const all: MissingRows[] = []
    let batch: SessionRows[] = []
    let count = 0
    for await (const page of readable(pages)) {
      batch.push(page)
      count += page.rows.length
      if (count < batchMax && batch.length < batchMax) continue
      all.push(await this.#compareBatch(batch, times, occurrences))
      batch = []
      count = 0
    }
    all.push(await this.#compareBatch(batch, times, occurrences))
    const since = all.flatMap(({ sinceMs }) => sinceMs ?? [])
    return {
      missing: all.reduce((total, { missing }) => total + missing, 0),
      sinceMs: since.length === 0 ? undefined : since.reduce((first, time) => Math.min(first, time)),
    }
  }

  /** All sessions that were compared, by their names. */
  sessions(): SessionCoverage[] {
    const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString())
    return [...this.#counted]
      .map(([session, counted]) => ({
        session,
        rows: counted.rows,
        rows_missing: counted.missing,
        ...given({ missing_since: iso(counted.missingSinceMs) }),
        ...given({ last_written_at: iso(counted.writtenAtMs) }),
        ...given({ last_captured_at: iso(counted.capturedAtMs) }),
      }))
      .toSorted((left, right) => (left.session < right.session ? -1 : 1))
  }

  async #compareBatch(
    batch: readonly SessionRows[],
    times: FileTimes,
    occurrences: Occurrences,
  ): Promise<MissingRows> {
    await this.#findSessions(batch.map(({ session }) => session))
    const asked: { readonly counted: Counted; readonly row: SessionRow; readonly key: CapturedRow | undefined }[] = []
    for (const { session, rows } of batch) {
      const counted = this.#counted.get(session)
      if (counted === undefined) continue
      for (const row of rows) asked.push({ counted, row, key: await this.#keyOf(session, row, occurrences) })
    }
    const keys = asked.flatMap(({ key }) => key ?? [])
    const found = await this.#database.run((sql) => capturedRows(sql, this.#tenantId, keys))
    const stored = new Set(found.map(nameOf))
    let missing = 0
    let sinceMs: number | undefined
    for (const { counted, row, key } of asked) {
      const atMs = Math.min(Math.max(row.writtenAtMs ?? times.modifiedAtMs, times.createdAtMs), times.modifiedAtMs)
      counted.rows++
      counted.writtenAtMs = Math.max(counted.writtenAtMs, atMs)
      if (counted.isErased || (key !== undefined && stored.has(nameOf(key)))) continue
      counted.missing++
      counted.missingSinceMs = Math.min(counted.missingSinceMs ?? atMs, atMs)
      missing++
      sinceMs = Math.min(sinceMs ?? atMs, atMs)
    }
    return { missing, sinceMs }
  }

  /** Looks up sessions that come for the first time. */
  async #findSessions(named: readonly string[]): Promise<void> {
    const fresh = [...new Set(named)].filter((session) => !this.#counted.has(session))
    if (fresh.length === 0) return
    const of = { source: this.#source, externalIds: fresh.map(cleanId) }
    const rows = await this.#database.run((sql) => capturedSessions(sql, this.#tenantId, of))
    const stored = new Map(rows.map((row) => [row.externalId, row]))
    for (const session of fresh) {
      const known = stored.get(cleanId(session))
      this.#counted.set(session, {
        rows: 0,
        missing: 0,
        missingSinceMs: undefined,
        writtenAtMs: 0,
        id: known?.id,
        capturedAtMs: known?.capturedAtMs,
        isErased: known === undefined && (await this.#tombstones.has(cleanId(session))),
      })
    }
  }

  /** What a row would be stored as; undefined where its session is not stored. */
  async #keyOf(session: string, row: SessionRow, occurrences: Occurrences): Promise<CapturedRow | undefined> {
    const sessionId = this.#counted.get(session)?.id
    const { id, sha256 } = row
    const occurrence = id === undefined && sha256 !== undefined ? occurrences.count({ session }, sha256) : 1
    if (sessionId === undefined) return undefined
    if (id !== undefined) return { sessionId, externalId: cleanId(id) }
    if (sha256 === undefined) return undefined
    const seal = await this.#database.vault.sealOf(this.#tenantId, sessionId)
    return { sessionId, externalId: idOfBytes(seal === undefined ? sha256 : seal.mask(sha256), occurrence) }
  }
}

/** The rows of a file cannot be read; `cause` says why. */
export class UnreadableRows extends Error {
  override readonly name = 'UnreadableRows'
}

/** What goes wrong with the file is another thing than what goes wrong with the store. */
async function* readable(pages: AsyncIterable<SessionRows>): AsyncGenerator<SessionRows> {
  try {
    yield* pages
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    throw new UnreadableRows('The rows of a file cannot be read', { cause: error })
  }
}

/** How many rows of a file are not stored, and when the first of them was written, in milliseconds since 1970. */
export interface MissingRows {
  readonly missing: number
  readonly sinceMs: number | undefined
}

function nameOf({ sessionId, externalId }: CapturedRow): string {
  return `${sessionId} ${externalId}`
}

function given<Name extends string>(named: Readonly<Record<Name, string | undefined>>): Partial<Record<Name, string>> {
  const partial: Partial<Record<Name, string>> = {}
  for (const name in named) {
    const value = named[name]
    if (value !== undefined) partial[name] = value
  }
  return partial
}
