import { outputOf } from './cli-output.ts'
import type { Home } from './home.ts'
import type { Tools } from './tools.ts'

/** Park and Miller's generator, so that a run can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

/** One of the stores, as its user has it. */
export interface Place {
  readonly home: Home
  readonly tools: Tools
}

const names = ['plans', 'notes', 'trip', 'main', 'review']
/** A name is of no use where its session was erased: there are others later. */
const editsOfNames = 60

type SessionDocument = Awaited<ReturnType<Tools['allSessions']>>[number]
type Message = Awaited<ReturnType<Tools['allMessages']>>[number]

/** Edits of stores at random, and what is to be there after them. */
export class RandomEdits {
  readonly #random: (below: number) => number
  /** The session of each text. */
  readonly #said = new Map<string, string>()
  readonly #erasedTexts = new Set<string>()
  readonly #erasedSessions = new Set<string>()
  readonly #made = new Map<string, number>()

  constructor(random: (below: number) => number) {
    this.#random = random
  }

  /** How often each kind of edit was made. */
  get made(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#made)
  }

  /** Every text that was said, and neither erased nor in a session that was. */
  get kept(): string[] {
    return [...this.#said]
      .filter(([text, session]) => !this.#erasedTexts.has(text) && !this.#erasedSessions.has(session))
      .map(([text]) => text)
      .toSorted()
  }

  wasSaid(text: string): boolean {
    return this.#said.has(text)
  }

  /** Does something to a store; `number` tells one edit from another. */
  async edit(place: Place, number: number): Promise<void> {
    const kinds = [
      { share: 3, name: 'erase a message', make: () => this.#eraseMessage(place) },
      { share: 1, name: 'erase a session', make: () => this.#eraseSession(place) },
      { share: 4, name: 'title', make: () => this.#update(place, { title: `Title ${number}`, tags: [`t${number}`] }) },
      { share: 2, name: 'summary', make: () => this.#update(place, { summary: `Of what was said up to ${number}.` }) },
      { share: 2, name: 'close', make: () => this.#update(place, { closed: this.#random(2) === 0 }) },
      { share: 2, name: 'restrict', make: () => this.#update(place, { restricted: true }) },
      { share: 2, name: 'unrestrict', make: () => this.#unrestrict(place) },
      { share: 4, name: 'correct', make: () => this.#correct(place, `Edit ${number} corrects`) },
      { share: 60, name: 'save', make: () => this.#save(place, number) },
    ]
    const lots = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind))
    const kind = lots[this.#random(lots.length)]
    if (kind === undefined) throw new Error('There is a kind for each number')
    if (await kind.make()) this.#made.set(kind.name, (this.#made.get(kind.name) ?? 0) + 1)
  }

  async #save({ tools }: Place, number: number): Promise<boolean> {
    const content = `Edit ${number} says ${this.#random(1_000_000)}`
    const name = `${names[this.#random(names.length)]} ${this.#random(Math.ceil(number / editsOfNames))}`
    // Two stores may give the same id; one that has given it refuses it for something else.
    const id = this.#random(4) === 0 ? { message_id: `m${this.#random(12)}` } : {}
    const sender = `author ${this.#random(3)}`
    const saved = await tools.call('save_message', { session_id: name, ...id, role: 'user', sender, content })
    const session = saved.structured?.['session_id']
    if (saved.isError || typeof session !== 'string') return false
    this.#said.set(content, session)
    return true
  }

  /** One that the store lists. */
  async #session({ tools }: Place): Promise<SessionDocument | undefined> {
    const all = await tools.allSessions()
    return all[this.#random(Math.max(1, all.length))]
  }

  async #message(place: Place): Promise<{ readonly session: string; readonly message: Message } | undefined> {
    const session = await this.#session(place)
    const messages = session === undefined ? [] : await place.tools.allMessages(session.session_id)
    const ours = messages.filter(({ content }) => this.wasSaid(String(content)))
    const message = ours[this.#random(Math.max(1, ours.length))]
    return session === undefined || message === undefined ? undefined : { session: session.session_id, message }
  }

  async #update(place: Place, change: Readonly<Record<string, unknown>>): Promise<boolean> {
    const session = await this.#session(place)
    if (session === undefined) return false
    await place.tools.update(session.session_id, change)
    return true
  }

  async #unrestrict({ home, tools }: Place): Promise<boolean> {
    const store = home.database()
    try {
      const rows = await store.sql<{ id: string }[]>`select id from sessions where restricted order by id`
      const row = rows[this.#random(Math.max(1, rows.length))]
      if (row === undefined) return false
      await tools.update(row.id, { restricted: false })
      return true
    } finally {
      await store.close()
    }
  }

  async #correct(place: Place, content: string): Promise<boolean> {
    const chosen = await this.#message(place)
    if (chosen === undefined) return false
    const args = ['correct', chosen.session, chosen.message.id, '--content', content, '--reason', 'it was wrong']
    const { code, stderr } = await place.home.cli(args)
    if (code !== 0 && !/was corrected already|was erased or anonymised/.test(stderr))
      throw new Error(`A correction failed: ${stderr}`)
    if (code === 0) this.#said.set(content, chosen.session)
    return code === 0
  }

  /** One message, wherever it is by now. */
  async #eraseMessage(place: Place): Promise<boolean> {
    const chosen = await this.#message(place)
    if (chosen === undefined) return false
    const { session, message } = chosen
    await outputOf(place.home, ['erase', '--session', session, '--message', message.id, '--yes'])
    this.#erasedTexts.add(String(message.content))
    return true
  }

  async #eraseSession(place: Place): Promise<boolean> {
    const session = await this.#session(place)
    if (session === undefined) return false
    await outputOf(place.home, ['erase', '--session', session.session_id, '--yes'])
    this.#erasedSessions.add(session.session_id)
    return true
  }
}
