import { afterAll, beforeAll, expect } from 'vitest'

import { rootKeyOfTests } from '../../support/root-key.ts'
import { Home } from './home.ts'
import { HttpHome } from './http-home.ts'
import { stateOf, sync, syncScopes, type SyncReport } from './synced.ts'

/** A laptop whose history is exchanged with that of a server. */
export class SyncedPair {
  readonly server = new Home()
  readonly laptop = new Home()
  #serving: { readonly http: HttpHome; readonly token: string } | undefined

  get homes(): readonly Home[] {
    return [this.server, this.laptop]
  }

  get http(): HttpHome {
    return this.#started.http
  }

  get token(): string {
    return this.#started.token
  }

  get #started() {
    if (this.#serving === undefined) throw new Error('the stores are made before the first test')
    return this.#serving
  }

  async start(): Promise<void> {
    for (const home of this.homes) await home.makeDatabase()
    // So that another home can be restored from what it archives.
    const archive = `file:${this.laptop.directory('archive')}`
    this.laptop.settings = { ...this.laptop.settings, VERBATIM_ARCHIVE: archive, VERBATIM_ROOT_KEY: rootKeyOfTests }
    const http = await HttpHome.start(this.server, { keep: true })
    this.#serving = { http, token: await http.newToken('--name', 'sync', '--scopes', syncScopes) }
  }

  async stop(): Promise<void> {
    await this.#serving?.http.stop()
    for (const home of this.homes) await home.dispose()
  }

  async sync(): Promise<SyncReport> {
    return await sync(this.laptop, this.http, this.token)
  }
}

/** Expects both stores of a pair to have the same. */
export async function expectAlike({ laptop, server, http }: SyncedPair): Promise<void> {
  const [here, there] = [await laptop.toolsOfTest(), await http.tools()]
  expect(await stateOf(laptop, here)).toEqual(await stateOf(server, there))
}

/** One for the tests of a file. */
export function usePair(): SyncedPair {
  const pair = new SyncedPair()
  beforeAll(() => pair.start())
  afterAll(() => pair.stop())
  return pair
}
