import { readFile } from 'node:fs/promises'

import { z } from 'zod'

import { DirectoryArchive } from '../src/adapters/archives/directory-archive.ts'
import { PgvectorIndex } from '../src/adapters/vector-indexes/pgvector-index.ts'
import { readConfig } from '../src/config.ts'
import { TermHashers } from '../src/indexing/terms/term-hashers.ts'
import { Caches } from '../src/model/caches.ts'
import type { VectorRecord } from '../src/ports/vector-index.ts'
import type { Database } from '../src/store/database.ts'
import { homePathsOf } from '../src/store/embedded/home.ts'
import { Vault } from '../src/store/keys/vault.ts'
import { messageLevel } from '../src/store/search/search-units.ts'
import { makeCurrent } from '../src/store/vectors/embedding-models.ts'
import { Verbatim } from '../src/verbatim.ts'
import { sharedData } from '../test/support/shared-data.ts'
import type { Figure } from './figure.ts'
import { sizeLabel, type GrowingStore, type StoredMessage } from './growing-store.ts'
import { pick, seededRandom } from './measure.ts'

const idsSchema = z.object({ dim: z.number().int(), rows: z.array(z.unknown()) })
/** As many as the local model's vectors have; text-embedding-3 is trained to be cut. */
const dimensions = 384
/** Of the length of a vector: what keeps the copies of one turn's vector apart, as two turns about one thing are. */
const noise = 0.5
const vectorsPerCall = 1_000

/** Real vectors of real turns, cut and of length 1; undefined where they are not beside the repository. */
export async function readTurnVectors(): Promise<readonly Float32Array[] | undefined> {
  const bytesPath = sharedData('bench', 'locomo-dense-te3small', 'turn_vectors_f16_1536.bin')
  const idsPath = sharedData('bench', 'locomo-dense-te3small', 'turn_vectors_ids.json')
  if (bytesPath === undefined || idsPath === undefined) return undefined
  const { dim, rows } = idsSchema.parse(JSON.parse(await readFile(idsPath, 'utf8')))
  const bytes = await readFile(bytesPath)
  return rows.map((_, row) =>
    ofLengthOne(
      Float32Array.from({ length: dimensions }, (_member, at) => float16(bytes.readUInt16LE((row * dim + at) * 2))),
    ),
  )
}

/** IEEE 754 binary16; `Float16Array` came with Node 24. */
function float16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1_024) * 2 ** (exponent - 15)
}

function ofLengthOne(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((member) => member / length)
}

/** Gives the messages of a growing store vectors, and searches them with queries that need no model's time. */
export class VectorStore {
  readonly #store: GrowingStore
  readonly #turns: readonly Float32Array[]
  readonly #random = seededRandom(23)
  readonly #index: PgvectorIndex
  readonly #database: Database
  #made = 0

  constructor(store: GrowingStore, turns: readonly Float32Array[]) {
    this.#store = store
    this.#turns = turns
    const { home } = store
    const run: Database['run'] = (work) => work(home.sql)
    const { encryption } = readConfig({ VERBATIM_HOME: home.path })
    this.#database = {
      kind: 'embedded',
      vault: new Vault(run, encryption),
      of() {
        return this
      },
      run,
      close: () => Promise.resolve(),
    }
    this.#index = new PgvectorIndex(this.#database)
  }

  /** Vectors for every message that has none, and the graph as soon as one is due, as the product's own worker does it. */
  async grow(): Promise<Figure[]> {
    const { stored, home } = this.#store
    const space = await this.#space()
    const options = { signal: new AbortController().signal }
    const startedAt = performance.now()
    const added = stored.length - this.#made
    for (; this.#made < stored.length; this.#made += vectorsPerCall) {
      const messages = stored.slice(this.#made, this.#made + vectorsPerCall)
      await this.#index.upsert(
        space,
        messages.map((message) => this.#recordOf(message)),
        options,
      )
      await this.#index.maintain(space, options)
    }
    this.#made = stored.length
    const tookMs = performance.now() - startedAt
    await home.sql`analyze unit_vectors`
    return [
      {
        name: `${sizeLabel(stored.length)}: vectors written, ${dimensions} dimensions`,
        value: added / (tookMs / 1_000),
        unit: 'vectors/s',
        samples: added,
      },
    ]
  }

  /** The product over the same store, whose queries are embedded at once: a turn's vector with other noise. */
  open(): Verbatim {
    return new Verbatim({
      database: this.#database,
      archive: new DirectoryArchive(homePathsOf(this.#store.home.path).archive),
      hashers: new TermHashers(this.#database.vault),
      caches: new Caches(0),
      semantic: { index: this.#index, embedQuery: () => Promise.resolve(this.#vector()) },
    })
  }

  async #space() {
    const { home } = this.#store
    const { tenantId } = home.caller
    const { id } = await makeCurrent(home.sql, tenantId, {
      provider: 'bench',
      name: 'text-embedding-3-small, cut',
      dimensions,
      revision: '1',
      index: this.#index.name,
    })
    // Made here and now, and not by the daemon, which has no embedder.
    await home.sql`delete from outbox where tenant_id = ${tenantId} and topic = 'embed'`
    return { tenantId, modelId: id, dimensions }
  }

  #recordOf({ sessionId, seq }: StoredMessage): VectorRecord {
    const key = { level: messageLevel, sessionId, firstSeq: seq, part: 0 }
    return { ...key, role: seq % 2 === 0 ? 'assistant' : 'user', timestampMs: Date.now(), vector: this.#vector() }
  }

  #vector(): Float32Array {
    const turn = pick(this.#turns, this.#random)
    const spread = (noise * Math.sqrt(3)) / Math.sqrt(dimensions)
    return ofLengthOne(turn.map((member) => member + spread * (2 * this.#random() - 1)))
  }
}
