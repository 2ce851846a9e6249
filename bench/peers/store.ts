import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { BenchHome } from '../bench-home.ts'

/** An empty directory for one store. Disposing of it ends the daemon of the product, where there is one, and removes all. */
export class PeerStore implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'verbatim-peer-'))

  async [Symbol.asyncDispose](): Promise<void> {
    await new BenchHome({ keptAt: this.path }).endDaemon()
    if (existsSync(this.path)) rmSync(this.path, { recursive: true, force: true })
  }
}
