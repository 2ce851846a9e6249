import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { TextQueue, type TextEngine, type TextQueueOptions } from '../../src/adapters/embedders/text-queue.ts'
import { limits } from '../../src/limits.ts'
import { ProviderError } from '../../src/ports/provider-error.ts'
import { providerFailure } from '../support/provider-failure.ts'

const { signal } = new AbortController()

/** Engines that embed a text when the test lets them. */
function setUp(options: Partial<TextQueueOptions> = {}) {
  const log: string[] = []
  const held: (() => void)[] = []
  const state = { opened: 0, closed: 0, isUsable: true, hold: false }
  const engine = (): TextEngine => ({
    get isUsable() {
      return state.isUsable
    },
    embed: async (text) => {
      log.push(text)
      if (state.hold) await new Promise<void>((resolve) => held.push(resolve))
      if (text === 'bad') throw new ProviderError('fake', 'rejected')
      if (text === 'deadly') {
        state.isUsable = false
        throw new ProviderError('fake', 'unavailable')
      }
      return Float32Array.of(text.length)
    },
    close: () => {
      state.closed += 1
      return Promise.resolve()
    },
  })
  const queue = new TextQueue({
    provider: 'fake',
    enginesMax: 1,
    idleMs: 60_000,
    open: () => {
      state.opened += 1
      state.isUsable = true
      return Promise.resolve(engine())
    },
    ...options,
  })
  onTestFinished(() => queue.close())
  const embed = (purpose: 'document' | 'query', ...texts: string[]) => queue.embed(texts, { purpose, signal })
  const release = () => {
    state.hold = false
    for (const resolve of held.splice(0)) resolve()
  }
  return { queue, log, state, embed, release }
}

describe('TextQueue', () => {
  it('embeds texts one by one, queries between the texts of documents', async () => {
    const { log, state, embed, release } = setUp()
    state.hold = true
    const documents = [embed('document', 'a', 'b'), embed('document', 'c')]
    await expect.poll(() => log).toEqual(['a'])
    const query = embed('query', 'q')
    release()
    await query
    await expect(Promise.all(documents)).resolves.toEqual([
      [Float32Array.of(1), Float32Array.of(1)],
      [Float32Array.of(1)],
    ])
    expect(log).toEqual(['a', 'q', 'b', 'c'])
    expect(state.opened).toBe(1)
  })

  it('keeps the order of the texts where several engines share them', async () => {
    const { state, embed } = setUp({ enginesMax: 2 })
    await expect(embed('document', 'a', 'bb', 'ccc', 'dddd')).resolves.toEqual(
      [1, 2, 3, 4].map((size) => Float32Array.of(size)),
    )
    expect(state.opened).toBe(2)
  })

  it('closes an engine that has no work, and opens one when there is', async () => {
    const { state, embed } = setUp({ idleMs: 1 })
    await embed('document', 'a')
    await expect.poll(() => state.closed).toBe(1)
    await embed('document', 'b')
    expect(state.opened).toBe(2)
  })

  it('keeps an engine longer after a query', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { state, embed } = setUp({ idleMs: 10, idleAfterQueryMs: 1_000 })
    await embed('query', 'q')
    await embed('document', 'a')
    await vi.advanceTimersByTimeAsync(900)
    expect(state.closed).toBe(0)
    await vi.advanceTimersByTimeAsync(200)
    expect(state.closed).toBe(1)
  })

  it('gives work to an engine that waits', async () => {
    const { state, embed } = setUp()
    await embed('document', 'a')
    await embed('query', 'b')
    expect(state.opened).toBe(1)
  })

  it('fails a call with its first failure, and goes on with the next', async () => {
    const { log, embed } = setUp()
    const failing = providerFailure(embed('document', 'a', 'bad', 'never'))
    const next = embed('document', 'b')
    expect(await failing).toMatchObject({ failure: 'rejected' })
    await expect(next).resolves.toHaveLength(1)
    expect(log).toEqual(['a', 'bad', 'b'])
  })

  it('opens another engine for what waits where one is lost', async () => {
    const { state, embed } = setUp()
    const failing = providerFailure(embed('document', 'deadly'))
    const next = embed('document', 'b')
    expect(await failing).toMatchObject({ failure: 'unavailable' })
    await expect(next).resolves.toHaveLength(1)
    expect(state).toMatchObject({ opened: 2, closed: 1 })
  })

  it('opens no engine before the lost one is closed', async () => {
    let finish: () => void = () => undefined
    const closing = new Promise<void>((resolve) => {
      finish = resolve
    })
    const log: string[] = []
    const { queue } = setUp({
      open: () => {
        const isFirst = log.length === 0
        log.push('open')
        return Promise.resolve({
          isUsable: !isFirst,
          embed: () => Promise.resolve(Float32Array.of(1)),
          close: () => {
            log.push('close')
            return isFirst ? closing : Promise.resolve()
          },
        })
      },
    })
    const call = queue.embed(['a'], { purpose: 'document', signal })
    await expect.poll(() => log).toEqual(['open', 'close'])
    finish()
    await expect(call).resolves.toHaveLength(1)
    expect(log).toEqual(['open', 'close', 'open'])
  })

  it('works with one engine where there is no room for the second', async () => {
    const opened: string[] = []
    const { queue } = setUp({
      enginesMax: 2,
      open: () => {
        opened.push('engine')
        if (opened.length > 1) return Promise.reject(new ProviderError('fake', 'unavailable'))
        return Promise.resolve({
          isUsable: true,
          embed: () => Promise.resolve(Float32Array.of(1)),
          close: () => Promise.resolve(),
        })
      },
    })
    await expect(queue.embed(['a', 'b', 'c'], { purpose: 'document', signal })).resolves.toHaveLength(3)
    expect(opened).toHaveLength(2)
  })

  it('fails all calls where neither of two engines can be opened', async () => {
    const opened: string[] = []
    const { embed } = setUp({
      enginesMax: 2,
      open: () => {
        opened.push('engine')
        return Promise.reject(new ProviderError('fake', 'not_installed'))
      },
    })
    expect(await providerFailure(embed('document', 'a', 'b'))).toMatchObject({ failure: 'not_installed' })
    expect(opened).toHaveLength(2)
  })

  it('takes no more texts than may wait, and says when to come again', async () => {
    const { state, embed, release } = setUp()
    state.hold = true
    const most = embed('document', ...Array.from({ length: limits.localModelWaitingTextsMax }, () => 'a'))
    const error = await providerFailure(embed('query', 'q'))
    expect(error).toMatchObject({ failure: 'rate_limited', retryAfterMs: 2_000 })
    await expect.poll(() => state.opened).toBe(1)
    release()
    await most
    await expect(embed('query', 'q')).resolves.toHaveLength(1)
  })

  it('fails all calls where no engine can be opened, and tries again for the next', async () => {
    const failures = [new ProviderError('fake', 'not_installed')]
    const { embed } = setUp({
      open: () => Promise.reject(failures.shift() ?? new ProviderError('fake', 'timeout')),
    })
    const both = [providerFailure(embed('document', 'a')), providerFailure(embed('query', 'b'))]
    expect(await Promise.all(both)).toMatchObject([{ failure: 'not_installed' }, { failure: 'not_installed' }])
    expect(await providerFailure(embed('document', 'c'))).toMatchObject({ failure: 'timeout' })
  })

  it('drops what a caller that went away still wanted', async () => {
    const { queue, log, state, embed, release } = setUp()
    state.hold = true
    const leaving = new AbortController()
    const left = queue.embed(['a', 'b'], { purpose: 'document', signal: leaving.signal })
    await expect.poll(() => log).toEqual(['a'])
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    release()
    await embed('document', 'c')
    expect(log).toEqual(['a', 'c'])
  })

  it('closes its engines, and fails what waits and what comes after', async () => {
    const { queue, log, state, embed, release } = setUp()
    state.hold = true
    const waiting = providerFailure(embed('document', 'a', 'b'))
    await expect.poll(() => log).toEqual(['a'])
    const closed = queue.close()
    release()
    await closed
    expect(await waiting).toMatchObject({ failure: 'unavailable' })
    expect(await providerFailure(embed('query', 'q'))).toMatchObject({ failure: 'unavailable' })
    expect(state.closed).toBe(1)
  })
})
