import { looksLikeId } from '../../model/ids.ts'
import { sha256 } from '../../model/payload.ts'
import { idMark } from '../../model/tombstone.ts'
import { capturedRows, capturedSessions, type CapturedRow } from '../../store/captured-rows.ts'
import type { Database } from '../../store/database.ts'
import { knownEntryMarks, type EntryMarks } from '../../store/erasure/entry-marks.ts'
import { hasTombstones, knownTombstones } from '../../store/erasure/tombstones.ts'
import type { TranscriptDocument, TranscriptEntry } from '../../transcripts/format.ts'
import { cleanId, idOfBytes, Occurrences } from './entry-fields.ts'

/** The entries of a document that are not to be stored: by their places in it, from 0 on, the SHA-256 of their bytes in hexadecimal. */
export type ErasedPlaces = ReadonlyMap<number, string>

/** What is looked at of an entry. */
interface Look {
  readonly place: number
  readonly entry: Pick<TranscriptEntry, 'session' | 'id' | 'role' | 'kind'>
  readonly hash: Buffer
  readonly occurrence: number
  /** An id of ours, or a time: the same bytes are the same thing. */
  readonly isTold: boolean
}

const batchEntries = 500

/**
 * Finds entries that were erased or anonymised in a file whose sessions have no name of their own: under another name, or beginning
 * otherwise, such a file is another session, and so is what was exported of one. Reads the document once; a store where nothing was
 * ever erased is not asked. An entry that is stored is none of them.
 */
export async function findErased(
  database: Database,
  of: { readonly tenantId: number; readonly source: string },
  document: TranscriptDocument,
): Promise<ErasedPlaces> {
  if (!(await database.run((sql) => hasTombstones(sql, of.tenantId)))) return new Map()
  const marks = await knownEntryMarks(database, of.tenantId)
  const copies = new Copies()
  const occurrences = new Occurrences()
  let batch: Look[] = []
  let count = 0
  const take = async () => {
    const marked = await markedOf(database, of.tenantId, { batch, marks })
    for (const look of batch) copies.take(look, marked.has(look.place))
    batch = []
  }
  for await (const event of document.events) {
    if (event.type !== 'entry') continue
    const { session, id, role, kind, timestamp, bytes } = event
    const hash = sha256(bytes)
    const occurrence = id === undefined ? occurrences.count(event, hash) : 1
    const isTold = ownId(id) !== undefined || (timestamp !== undefined && !isDateAlone(timestamp))
    batch.push({
      place: count++,
      entry: { session, kind, role, ...(id === undefined ? {} : { id }) },
      hash,
      occurrence,
      isTold,
    })
    if (batch.length >= batchEntries) await take()
  }
  await take()
  const found = copies.end()
  const stored = await storedOf(database, of, found)
  return new Map(found.flatMap((look) => (stored.has(look) ? [] : [[look.place, look.hash.toString('hex')]])))
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

/**
 * Tells entries that were erased from words that are said again. The bytes of an entry with a time are that entry. Without one, a stretch of a
 * session is a copy where all of it was erased and something in it is an answer: prompts that programs repeat are none, and what a
 * model answers to them is hardly ever the same. So is a document that is one entry and no message.
 */
class Copies {
  readonly #found: Look[] = []
  readonly #stretches = new Map<string, { readonly entries: Look[]; hasQuestion: boolean; hasAnswer: boolean }>()
  #first: Look | undefined
  #count = 0

  take(look: Look, isMarked: boolean): void {
    const { entry } = look
    if (this.#count++ === 0 && isMarked) this.#first = look
    if (!isMarked) return this.#close(entry.session)
    const stretch = this.#stretches.get(entry.session) ?? { entries: [], hasQuestion: false, hasAnswer: false }
    this.#stretches.set(entry.session, stretch)
    stretch.entries.push(look)
    if (entry.role === 'user') stretch.hasQuestion = true
    else if (entry.role === 'assistant' || entry.role === 'tool') stretch.hasAnswer ||= stretch.hasQuestion
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
    for (const look of stretch.entries) if (stretch.hasAnswer || look.isTold) this.#found.push(look)
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
