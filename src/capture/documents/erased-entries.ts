import { looksLikeId } from '../../model/ids.ts'
import { sha256 } from '../../model/messages/payload.ts'
import { idMark } from '../../model/messages/tombstone.ts'
import type { Database } from '../../store/database.ts'
import { knownEntryMarks, type EntryMarks } from '../../store/erasure/entry-marks.ts'
import { hasTombstones, knownTombstones } from '../../store/erasure/tombstones.ts'
import { capturedRows, capturedSessions, type CapturedRow } from '../../store/imports/captured-rows.ts'
import type { TranscriptDocument, TranscriptEntry } from '../../transcripts/format.ts'
import { cleanId, idOfBytes, Occurrences } from './entry-fields.ts'
import { ErasedSessions } from './erased-sessions.ts'

export interface ErasedParts {
  /** The entries of a document that are not to be stored: by their places in it, from 0 on, the SHA-256 of their bytes in hexadecimal. */
  readonly places: ReadonlyMap<number, string>
  /**
   * Sessions that were erased by their names, with the names under which what else stands in them is stored: it was said since, or is of
   * another file whose folder, name and beginning are the same.
   */
  readonly renamed: ReadonlyMap<string, string>
}

/** What is looked at of an entry. */
interface Look {
  readonly place: number
  readonly entry: Pick<TranscriptEntry, 'session' | 'id' | 'role' | 'kind'>
  readonly hash: Buffer
  readonly occurrence: number
  readonly sizeBytes: number
  /** An id of ours, or a time: the same bytes are the same thing. */
  readonly isTold: boolean
}

const batchEntries = 500
/** Together answers of so many bytes are hardly ever given twice; a greeting is. */
const answersBytesMin = 200

/**
 * Finds entries that were erased or anonymised in a file whose sessions have no name of their own: under another name, or beginning
 * otherwise, such a file is another session, and so is what was exported of one. Reads the document once; a store where nothing was
 * ever erased is not asked. An entry that is stored is none of them.
 */
export async function findErased(
  database: Database,
  of: { readonly tenantId: number; readonly source: string },
  document: TranscriptDocument,
): Promise<ErasedParts> {
  if (!(await database.run((sql) => hasTombstones(sql, of.tenantId)))) return { places: new Map(), renamed: new Map() }
  const marks = await knownEntryMarks(database, of.tenantId)
  const sessions = new ErasedSessions(database, of)
  const copies = new Copies()
  const renamed = new Map<string, string>()
  for await (const batch of looksOf(document)) {
    const marked = await markedOf(database, of.tenantId, { batch, marks })
    for (const look of batch) {
      const { session } = look.entry
      const isMarked = marked.has(look.place)
      const isOfErased = await sessions.has(cleanId(session))
      copies.take(look, { isMarked, isOfErased })
      if (isMarked || !isOfErased || renamed.has(session) || !(await sessions.hasEntries(cleanId(session)))) continue
      renamed.set(session, `${session}~${look.hash.toString('hex').slice(0, 8)}`)
    }
  }
  const found = copies.end()
  const stored = await storedOf(database, of, found)
  const places = found.flatMap((look) => (stored.has(look) ? [] : [[look.place, look.hash.toString('hex')] as const]))
  return { places: new Map(places), renamed }
}

async function* looksOf(document: TranscriptDocument): AsyncGenerator<readonly Look[]> {
  const occurrences = new Occurrences()
  let batch: Look[] = []
  let count = 0
  for await (const event of document.events) {
    if (event.type !== 'entry') continue
    const { session, id, role, kind, timestamp, bytes } = event
    const hash = sha256(bytes)
    batch.push({
      place: count++,
      entry: { session, kind, role, ...(id === undefined ? {} : { id }) },
      hash,
      occurrence: id === undefined ? occurrences.count(event, hash) : 1,
      sizeBytes: bytes.length,
      isTold: ownId(id) !== undefined || (timestamp !== undefined && !isDateAlone(timestamp)),
    })
    if (batch.length < batchEntries) continue
    yield batch
    batch = []
  }
  yield batch
}

/** A day is no time at which something was said: the same words may be said again on it. */
const isDateAlone = (timestamp: string) => timestamp.endsWith('T00:00:00.000Z')

/** As an export of ours names it. */
function ownId(id: string | undefined): string | undefined {
  const lower = id?.toLowerCase()
  return lower !== undefined && looksLikeId(lower) ? lower : undefined
}

async function markedOf(
  database: Database,
  tenantId: number,
  { batch, marks }: { readonly batch: readonly Look[]; readonly marks: EntryMarks },
): Promise<ReadonlySet<number>> {
  const byPlace = batch.map(({ entry, hash, place }) => {
    const id = ownId(entry.id)
    const ours = id === undefined ? [] : [idMark('message', id), idMark('anonymised', id)]
    return { place, marks: [...ours, ...marks.allOf(hash)] }
  })
  const all = byPlace.flatMap(({ marks: own }) => own)
  const known = await database.run((sql) => knownTombstones(sql, tenantId, all))
  return new Set(byPlace.flatMap(({ place, marks: own }) => (own.some((mark) => known.has(mark)) ? [place] : [])))
}

/** Entries of one session that follow each other and were all erased. */
interface Stretch {
  readonly entries: Look[]
  hasQuestion: boolean
  /** Of those after a question. */
  answersBytes: number
}

/**
 * Tells entries that were erased from words that are said again. The bytes of an entry with a time are that entry. Without one, a stretch of a
 * session is a copy where all of it was erased and answers are in it: prompts that programs repeat are none, and what a model answers to
 * them at some length is hardly ever the same. So is a document that is one entry and no message.
 */
class Copies {
  readonly #found: Look[] = []
  readonly #stretches = new Map<string, Stretch>()
  /** Sessions of which something was not erased. */
  readonly #mixed = new Set<string>()
  #first: Look | undefined
  #count = 0

  take(look: Look, { isMarked, isOfErased }: { readonly isMarked: boolean; readonly isOfErased: boolean }): void {
    const { session, role } = look.entry
    if (this.#count++ === 0 && isMarked) this.#first = look
    if (!isMarked) {
      this.#mixed.add(session)
      return this.#close(session)
    }
    // Its name is known too: it is the same file.
    if (isOfErased) {
      this.#found.push(look)
      return
    }
    const stretch = this.#stretches.get(session) ?? { entries: [], hasQuestion: false, answersBytes: 0 }
    this.#stretches.set(session, stretch)
    stretch.entries.push(look)
    if (role === 'user') stretch.hasQuestion = true
    else if (stretch.hasQuestion && (role === 'assistant' || role === 'tool')) stretch.answersBytes += look.sizeBytes
  }

  /** In the order of their document. */
  end(): readonly Look[] {
    for (const session of this.#stretches.keys()) this.#close(session)
    const only = this.#count === 1 && this.#first?.entry.kind !== 'message' ? this.#first : undefined
    const found = only === undefined || this.#found.includes(only) ? this.#found : [only]
    return found.toSorted((a, b) => a.place - b.place)
  }

  #close(session: string): void {
    const stretch = this.#stretches.get(session)
    if (stretch === undefined) return
    this.#stretches.delete(session)
    const isWhole = stretch.answersBytes > 0 && !this.#mixed.has(session)
    const isCopy = isWhole || stretch.answersBytes >= answersBytesMin
    for (const look of stretch.entries) if (isCopy || look.isTold) this.#found.push(look)
  }
}

/** Those that are stored in their session all the same: as they were in it, or were erased there and are known by their places. */
async function storedOf(
  database: Database,
  { tenantId, source }: { readonly tenantId: number; readonly source: string },
  looks: readonly Look[],
): Promise<ReadonlySet<Look>> {
  const externalIds = [...new Set(looks.map(({ entry }) => cleanId(entry.session)))]
  const sessions = await database.run((sql) => capturedSessions(sql, tenantId, { source, externalIds }))
  const ids = new Map(sessions.map(({ externalId, id }) => [externalId, id]))
  const keys = new Map<string, Look>()
  const rows: CapturedRow[] = []
  for (const look of looks) {
    const sessionId = ids.get(cleanId(look.entry.session))
    if (sessionId === undefined) continue
    const seal = await database.vault.sealOf(tenantId, sessionId)
    const { id } = look.entry
    const hash = seal === undefined ? look.hash : seal.mask(look.hash)
    const row = { sessionId, externalId: id === undefined ? idOfBytes(hash, look.occurrence) : cleanId(id) }
    rows.push(row)
    keys.set(`${row.sessionId} ${row.externalId}`, look)
  }
  const stored = await database.run((sql) => capturedRows(sql, tenantId, rows))
  return new Set(stored.flatMap((row) => keys.get(`${row.sessionId} ${row.externalId}`) ?? []))
}
