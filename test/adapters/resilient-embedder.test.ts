import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { OpenAiCompatibleEmbedder } from '../../src/adapters/embedders/openai-compatible-embedder.ts'
import { ResilientEmbedder, type ResilienceOptions } from '../../src/adapters/embedders/resilient-embedder.ts'
import { InputError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import type { Embedder } from '../../src/ports/embedder.ts'
import { ProviderError, type ProviderFailure } from '../../src/ports/provider-error.ts'
import { describeEmbedder } from '../contract/describe-embedder.ts'
import { providerFailure } from '../support/provider-failure.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'

const { signal } = new AbortController()

describeEmbedder('ResilientEmbedder', async () => {
  const standIn = await OpenAiStandIn.start()
  const target = { kind: 'url', url: standIn.url } as const
  const inner = new OpenAiCompatibleEmbedder({ target, model: standIn.model })
  return { embedder: new ResilientEmbedder(inner), dispose: () => standIn.stop() }
})

/** An embedder that fails as planned, then works; a clock that only moves when somebody waits. */
function setUp(options: ResilienceOptions = {}) {
  const plan: unknown[] = []
  const waits: number[] = []
  let calls = 0
  const act = <T>(value: T): Promise<T> => {
    calls += 1
    const failure = plan.shift()
    return failure === undefined ? Promise.resolve(value) : Promise.reject(failure)
  }
  const inner: Embedder = {
    isPaid: true,
    limits: { textsPerCallMax: 8, tokensPerTextMax: 8 },
    describe: () => act({ provider: 'fake', name: 'fake', dimensions: 1, revision: '1' }),
    embed: (texts) => act(texts.map(() => Float32Array.of(1))),
    close: () => Promise.resolve(),
  }
  const embedder = new ResilientEmbedder(inner, {
    sleep: (ms) => {
      waits.push(ms)
      vi.setSystemTime(Date.now() + ms)
      return Promise.resolve()
    },
    ...options,
  })
  return {
    inner,
    embedder,
    plan,
    waits,
    calls: () => calls,
    embed: () => embedder.embed(['text'], { purpose: 'document', signal }),
    embedQuery: (retryMs?: number) => embedder.embed(['text'], { purpose: 'query', signal, retryMs }),
  }
}

const failing = (failure: ProviderFailure, retryAfterMs?: number) =>
  new ProviderError('fake', failure, { retryAfterMs })
const times = (count: number, failure: ProviderFailure) => Array.from({ length: count }, () => failing(failure))

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('ResilientEmbedder', () => {
  it('tries again what may succeed later, each time after a longer pause', async () => {
    const { embed, plan, waits, calls } = setUp()
    plan.push(failing('unavailable'), failing('timeout'), failing('rate_limited'))
    await expect(embed()).resolves.toHaveLength(1)
    expect(calls()).toBe(4)
    for (const [index, longest] of [500, 1_000, 2_000].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(longest / 2)
      expect(waits[index]).toBeLessThanOrEqual(longest)
    }
  })

  it('tries to describe again as well', async () => {
    const { embedder, plan } = setUp()
    plan.push(failing('unavailable'))
    await expect(embedder.describe({ signal })).resolves.toMatchObject({ name: 'fake' })
  })

  it('gives up after its attempts, with the last failure', async () => {
    const { embed, plan, calls } = setUp({ attemptsMax: 3 })
    plan.push(...times(2, 'unavailable'), failing('timeout'))
    expect(await providerFailure(embed())).toMatchObject({ failure: 'timeout' })
    expect(calls()).toBe(3)
  })

  it.each<ProviderFailure>(['refused', 'rejected', 'malformed', 'not_installed'])(
    'does not try again what is %s',
    async (failure) => {
      const { embed, plan, calls } = setUp()
      plan.push(failing(failure))
      expect(await providerFailure(embed())).toMatchObject({ failure })
      expect(calls()).toBe(1)
    },
  )

  it('does not try again what is no failure of the provider', async () => {
    const { embed, plan, calls } = setUp()
    plan.push(new InputError('Cannot embed'))
    await expect(embed()).rejects.toThrow(InputError)
    expect(calls()).toBe(1)
  })

  it('waits as long as the provider asks, where that is longer', async () => {
    const { embed, plan, waits } = setUp()
    plan.push(failing('rate_limited', 34_070))
    await expect(embed()).resolves.toHaveLength(1)
    expect(waits).toEqual([34_070])
  })

  it('does not wait beyond its total time, and hands on when to come again', async () => {
    const { embed, plan, waits } = setUp({ totalMs: 30_000 })
    plan.push(failing('rate_limited', 34_070))
    expect(await providerFailure(embed())).toMatchObject({ failure: 'rate_limited', retryAfterMs: 34_070 })
    expect(waits).toEqual([])
  })

  it('says of a query why it failed before the search that waits for it gives up', async () => {
    const { embedQuery, plan, waits, calls } = setUp()
    plan.push(failing('rate_limited', 20_000))
    expect(await providerFailure(embedQuery())).toMatchObject({ failure: 'rate_limited', retryAfterMs: 20_000 })
    expect(waits).toEqual([])
    plan.push(...times(4, 'unavailable'))
    const before = Date.now()
    expect(await providerFailure(embedQuery())).toMatchObject({ failure: 'unavailable' })
    expect(Date.now() - before).toBeLessThan(limits.searchMeaningMs)
    expect(calls()).toBe(3)
  })

  it('tries a query as long as its caller says', async () => {
    const { embedQuery, plan, waits } = setUp()
    plan.push(failing('rate_limited', 2_000))
    await expect(embedQuery(limits.searchMeaningOnlyMs / 2)).resolves.toHaveLength(1)
    expect(waits).toEqual([2_000])
  })

  it('throws the reason of a signal that is aborted during a pause', async () => {
    const leaving = new AbortController()
    const { embedder, plan } = setUp({
      sleep: () => {
        leaving.abort(new Error('enough'))
        return Promise.reject(new Error('of the clock'))
      },
    })
    plan.push(failing('unavailable'))
    const call = embedder.embed(['text'], { purpose: 'query', signal: leaving.signal })
    await expect(call).rejects.toThrow('enough')
  })

  it('really waits where no clock is given, and not longer than the signal', async () => {
    const { inner, plan } = setUp()
    plan.push(failing('unavailable'))
    const embedder = new ResilientEmbedder(inner, { pauseMs: 60_000, pauseMaxMs: 60_000, totalMs: 600_000 })
    const leaving = new AbortController()
    const call = embedder.embed(['text'], { purpose: 'document', signal: leaving.signal })
    setTimeout(() => leaving.abort(new Error('enough')), 20)
    await expect(call).rejects.toThrow('enough')
  })
})

describe('ResilientEmbedder, the circuit', () => {
  const options = { attemptsMax: 1, failuresToOpen: 3, openMs: 30_000 }

  it('opens after failures in a row, asks nothing then, and says when it will again', async () => {
    const { embed, plan, calls } = setUp(options)
    plan.push(...times(3, 'unavailable'))
    for (let call = 0; call < 3; call += 1) await providerFailure(embed())
    vi.setSystemTime(Date.now() + 10_000)
    const error = await providerFailure(embed())
    expect(error).toMatchObject({ provider: 'fake', failure: 'unavailable', retryAfterMs: 20_000 })
    expect(calls()).toBe(3)
  })

  it('fails at once when it opens between two attempts', async () => {
    const { embed, plan, waits, calls } = setUp({ failuresToOpen: 2, attemptsMax: 4 })
    plan.push(...times(9, 'unavailable'))
    await providerFailure(embed())
    expect(calls()).toBe(2)
    expect(waits).toHaveLength(2)
  })

  it('lets one attempt pass after the pause, and closes when it succeeds', async () => {
    const { embed, plan, calls } = setUp(options)
    plan.push(...times(3, 'unavailable'))
    for (let call = 0; call < 3; call += 1) await providerFailure(embed())
    vi.setSystemTime(Date.now() + 30_000)
    await expect(embed()).resolves.toHaveLength(1)
    plan.push(...times(2, 'unavailable'))
    for (let call = 0; call < 2; call += 1) await providerFailure(embed())
    await expect(embed()).resolves.toHaveLength(1)
    expect(calls()).toBe(7)
  })

  it('opens again when that attempt fails', async () => {
    const { embed, plan, calls } = setUp(options)
    plan.push(...times(4, 'unavailable'))
    for (let call = 0; call < 3; call += 1) await providerFailure(embed())
    vi.setSystemTime(Date.now() + 30_000)
    await providerFailure(embed())
    expect(await providerFailure(embed())).toMatchObject({ retryAfterMs: 30_000 })
    expect(calls()).toBe(4)
  })

  it('does not open for texts that the provider does not take, nor for arguments that are wrong', async () => {
    const { embed, plan, calls } = setUp(options)
    plan.push(...times(4, 'rejected'), ...Array.from({ length: 4 }, () => new InputError('Cannot embed')))
    for (let call = 0; call < 8; call += 1) await expect(embed()).rejects.toThrow('Cannot')
    await expect(embed()).resolves.toHaveLength(1)
    expect(calls()).toBe(9)
  })

  it('opens for a key that is refused again and again', async () => {
    const { embed, plan, calls } = setUp(options)
    plan.push(...times(3, 'refused'))
    for (let call = 0; call < 4; call += 1) await providerFailure(embed())
    expect(calls()).toBe(3)
  })
})
