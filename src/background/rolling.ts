import type { Config } from '../config.ts'
import type { RollingDependencies, RollingSummaries } from '../insight/summaries/rolling-summaries.ts'
import type { Observer } from '../ports/observer.ts'

export interface RollingOptions extends Omit<RollingDependencies, 'writer' | 'quietMs'> {
  readonly config: Pick<Config, 'dailyTokens' | 'rolling'>
  readonly observer: Observer
}

/** Who summarises quiet sessions, where the settings want it; loaded after the start, which does not wait for it. */
export class Rolling {
  readonly #opened: Promise<RollingSummaries | undefined>

  constructor(options: RollingOptions) {
    this.#opened = open(options)
  }

  async stop(): Promise<void> {
    await (await this.#opened)?.stop()
  }
}

async function open({ config, observer, ...stores }: RollingOptions): Promise<RollingSummaries | undefined> {
  const { dailyTokens, rolling } = config
  if (rolling === undefined) return undefined
  const { RollingSummaries } = await import('../insight/summaries/rolling-summaries.ts')
  const { openWriter } = await import('./open-writer.ts')
  const { quietMs, writer: settings } = rolling
  const writer =
    settings === undefined ? undefined : openWriter(settings, { database: stores.database, observer, dailyTokens })
  const summaries = new RollingSummaries({ ...stores, quietMs, writer })
  summaries.start()
  return summaries
}
