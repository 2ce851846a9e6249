import { limits } from '../limits.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { ArchivedMessage } from '../store/copy/sessions-there.ts'
import { Counter } from './report.ts'

/** Where large payloads are read: the first place that has the bytes gives them. */
export type PayloadSource = Pick<ArchiveStore, 'get'>

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
    if (isWhole(message, await this.#to.get(message.location))) {
      this.counts.add(0, 1)
      return undefined
    }
    for (const archive of this.#from) {
      const bytes = await archive.get(message.location)
      if (bytes === undefined || !isWhole(message, bytes)) continue
      await this.#to.put(message.location, bytes)
      if (!isWhole(message, await this.#to.get(message.location))) return 'its payload was not stored as it was sent'
      this.counts.add(1, 0)
      return undefined
    }
    return `its payload above ${limits.inlinePayloadBytesMax} bytes is missing or altered in the archive that it comes from`
  }
}

function isWhole(message: ArchivedMessage, bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && message.isWhole(bytes)
}
