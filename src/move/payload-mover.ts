import { askOfHeld, isInArchive } from '../capture/held-payloads.ts'
import { limits } from '../limits.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { ArchivedMessage } from '../store/copy/sessions-there.ts'
import type { Transaction } from '../store/rows.ts'
import { Counter } from './report.ts'

/** Where large payloads are read: the first place that has the bytes gives them. */
export type PayloadSource = Pick<ArchiveStore, 'get'>

/** Payloads that were erased at the target before the messages were there that use them. */
export class PayloadsGone extends Error {
  override readonly name = 'PayloadsGone'
  readonly messages: readonly ArchivedMessage[]

  constructor(messages: readonly ArchivedMessage[]) {
    super('Payloads were erased meanwhile')
    this.messages = messages
  }
}

/** Copies large payloads from archive to archive; their names there are their hashes. */
export class PayloadMover {
  readonly counts = new Counter()
  readonly #from: readonly PayloadSource[]
  readonly #to: ArchiveStore

  constructor(archives: { readonly from: readonly PayloadSource[]; readonly to: ArchiveStore }) {
    this.#from = archives.from
    this.#to = archives.to
  }

  /** Makes sure that the target's archive has the bytes of a message, and returns what is wrong where it cannot. */
  async move(message: ArchivedMessage): Promise<string | undefined> {
    const done = await this.#bring(message)
    if (done === 'copied') this.counts.add(1, 0)
    else if (done === 'known') this.counts.add(0, 1)
    else return done.problem
    return undefined
  }

  /**
   * To be called in the transaction that stores messages at the target: until it ends nobody there erases their payloads. Throws
   * PayloadsGone where somebody has since they were moved.
   */
  async hold(sql: Transaction, messages: readonly ArchivedMessage[]): Promise<void> {
    const gone: ArchivedMessage[] = []
    const places = new Map(messages.map((message) => [message.location, message]))
    await askOfHeld(sql, [...places.keys()], async (location) => {
      const message = places.get(location)
      if (message !== undefined && !(await isInArchive(this.#to, location))) gone.push(message)
    })
    if (gone.length > 0) throw new PayloadsGone(gone)
  }

  /** Moves once more what was erased meanwhile, and returns what is wrong where it cannot. */
  async moveAgain({ messages }: PayloadsGone): Promise<ReadonlyMap<ArchivedMessage, string>> {
    const problems = new Map<ArchivedMessage, string>()
    for (const message of messages) {
      const done = await this.#bring(message)
      if (typeof done !== 'string') problems.set(message, done.problem)
    }
    return problems
  }

  async #bring(message: ArchivedMessage): Promise<'copied' | 'known' | { readonly problem: string }> {
    if (isWhole(message, await this.#to.get(message.location))) return 'known'
    for (const archive of this.#from) {
      const bytes = await archive.get(message.location)
      if (bytes === undefined || !isWhole(message, bytes)) continue
      await this.#to.put(message.location, bytes)
      if (!isWhole(message, await this.#to.get(message.location)))
        return { problem: 'its payload was not stored as it was sent' }
      return 'copied'
    }
    return {
      problem: `its payload above ${limits.inlinePayloadBytesMax} bytes is missing or altered in the archive that it comes from`,
    }
  }
}

function isWhole(message: ArchivedMessage, bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && message.isWhole(bytes)
}
