import { ConflictError, InputError, VerbatimError } from '../errors.ts'
import type { SyncedState } from '../store/sync/sync-peers.ts'
import { PeerUnreachable, syncVersion, type Answered, type Peer } from './peer.ts'
import { noCounts, problemsNamedMax, type SyncCounts, type SyncReport } from './report.ts'
import { apartSeq, syncSession } from './session-sync.ts'

/** What this store remembers of the sessions that it has exchanged with the other one. */
export interface SyncMemory {
  read(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SyncedState>>
  note(state: SyncedState): Promise<void>
}

export interface SyncStores {
  readonly ours: Peer
  readonly theirs: Peer
  readonly url: string
  readonly memoryOf: (peerId: string) => SyncMemory
  readonly onMessages?: ((count: number) => void) | undefined
}

/** What is there of them is looked for among all messages. */
const erasuresAtOnce = 500
/** Of ids that are asked of the memory at once. */
const pageSessions = 1_000

/**
 * Exchanges the history of two stores, so that both have the same: what was erased first, so that nothing of it is sent; then session by
 * session. What goes wrong with one session is in the report, and the others go on. Interrupted, it goes on from there.
 * Throws InputError, ConflictError or UnavailableError where the two cannot exchange anything.
 */
export async function runSync(stores: SyncStores): Promise<SyncReport> {
  const { ours, theirs, url } = stores
  const [own, other] = [(await ours.ask('identity', {})).answer, (await theirs.ask('identity', {})).answer]
  refuseUnlike(own, other, url)
  const run = new SyncRun(stores, other)
  await run.erasures()
  await run.sessions(stores.memoryOf(other.store_id))
  return run.report
}

function refuseUnlike(own: Answered<'identity'>, other: Answered<'identity'>, url: string): void {
  if (other.sync !== syncVersion)
    throw new InputError(
      `Cannot exchange history with ${url} as it runs version ${other.version} and this is ${own.version}`,
      {
        remedy: 'Install the same version at both',
      },
    )
  if (other.store_id === own.store_id)
    throw new ConflictError(`Cannot exchange history with ${url} as it is this store itself, or a copy of its files`, {
      remedy: 'Where one is a copy, run there once: verbatim sync --as-new',
    })
}

class SyncRun {
  readonly #stores: SyncStores
  readonly #peer: Answered<'identity'>
  readonly #received: SyncCounts = noCounts()
  readonly #sent: SyncCounts = noCounts()
  readonly #outcomes = { equal: 0, unchanged: 0, erased: 0, pending: 0, apart: 0 }
  readonly #problems: { readonly session_id: string; readonly problem: string }[] = []
  #problemCount = 0

  constructor(stores: SyncStores, peer: Answered<'identity'>) {
    this.#stores = stores
    this.#peer = peer
  }

  get report(): SyncReport {
    return {
      peer: { store_id: this.#peer.store_id, url: this.#stores.url, version: this.#peer.version },
      sessions: this.#outcomes,
      received: this.#received,
      sent: this.#sent,
      problem_count: this.#problemCount,
      problems: this.#problems,
    }
  }

  /** Makes each know what was erased at the other, and erase it. */
  async erasures(): Promise<void> {
    const { ours, theirs } = this.#stores
    const [own, other] = [await erasuresOf(ours), await erasuresOf(theirs)]
    this.#received.erasures = await teach({ from: theirs, known: other }, { to: ours, there: own })
    this.#sent.erasures = await teach({ from: ours, known: own }, { to: theirs, there: other })
  }

  async sessions(memory: SyncMemory): Promise<void> {
    const { ours, theirs, onMessages = () => {} } = this.#stores
    const exchange = { ours, theirs, received: this.#received, sent: this.#sent, onMessages }
    for await (const page of pagesOf(bothOf(sessionsOf(ours), sessionsOf(theirs)), pageSessions)) {
      const known = await memory.read(page.map(({ id }) => id))
      for (const { id, own, other } of page) {
        const before = known.get(id)
        if (before !== undefined && before.version === own && before.peerVersion === other) {
          if (before.lastSeq === apartSeq) this.#outcomes.apart++
          else this.#outcomes.unchanged++
          continue
        }
        try {
          const outcome = await syncSession(exchange, id, before)
          this.#outcomes[outcome.kind]++
          if ('state' in outcome) await memory.note(outcome.state)
        } catch (error) {
          if (!(error instanceof VerbatimError) || error instanceof PeerUnreachable) throw error
          this.#problemCount++
          if (this.#problems.length < problemsNamedMax) this.#problems.push({ session_id: id, problem: error.message })
        }
      }
    }
  }
}

async function erasuresOf(peer: Peer): Promise<ReadonlyMap<string, number>> {
  const { erasures } = (await peer.ask('erasures', {})).answer
  return new Map(erasures.map(({ id, tombstones }) => [id, tombstones]))
}

/** Says how many erasures were news. */
async function teach(
  { from, known }: { readonly from: Peer; readonly known: ReadonlyMap<string, number> },
  { to, there }: { readonly to: Peer; readonly there: ReadonlyMap<string, number> },
): Promise<number> {
  const news = [...known].filter(([id, tombstones]) => tombstones > (there.get(id) ?? 0))
  for (let next = 0; next < news.length; next += erasuresAtOnce) {
    const erasures: Answered<'erasure'>[] = []
    for (const [id] of news.slice(next, next + erasuresAtOnce))
      erasures.push((await from.ask('erasure', { id })).answer)
    await to.ask('learn', { erasures })
  }
  return news.length
}

interface Versioned {
  readonly id: string
  readonly version: number
}

/** All sessions of a store, by id. */
async function* sessionsOf(peer: Peer): AsyncGenerator<Versioned> {
  for (let after: string | undefined; ;) {
    const { sessions, is_last: isLast } = (await peer.ask('sessions', after === undefined ? {} : { after })).answer
    yield* sessions
    after = sessions.at(-1)?.id
    if (isLast || after === undefined) return
  }
}

/** The version of a session at each of the stores that have it. */
interface AtBoth {
  readonly id: string
  readonly own: number | undefined
  readonly other: number | undefined
}

async function* bothOf(ours: AsyncGenerator<Versioned>, theirs: AsyncGenerator<Versioned>): AsyncGenerator<AtBoth> {
  const take = async (sessions: AsyncGenerator<Versioned>) => {
    const { value, done } = await sessions.next()
    return done === true ? undefined : value
  }
  let [own, other] = [await take(ours), await take(theirs)]
  while (own !== undefined || other !== undefined) {
    const id = own === undefined || (other !== undefined && other.id < own.id) ? other?.id : own.id
    if (id === undefined) return
    const [isOwn, isOther] = [own?.id === id, other?.id === id]
    yield { id, own: isOwn ? own?.version : undefined, other: isOther ? other?.version : undefined }
    if (isOwn) own = await take(ours)
    if (isOther) other = await take(theirs)
  }
}

async function* pagesOf<T>(items: AsyncGenerator<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = []
  for await (const item of items) {
    page.push(item)
    if (page.length < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
