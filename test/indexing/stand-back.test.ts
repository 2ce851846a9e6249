import { setImmediate as nextTurn } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { StandBack } from '../../src/indexing/stand-back.ts'

const anHour = { quietMs: 3_600_000, longestMs: 3_600_000 } as const

/** Whether the turn has come by now, as far as nothing is waited for. */
async function hasCome(turn: Promise<void>): Promise<boolean> {
  return await Promise.race([turn.then(() => true), nextTurn(false)])
}

describe('StandBack', () => {
  it('waits for nobody where nobody was served', async () => {
    expect(await hasCome(new StandBack(anHour).turn(new AbortController().signal))).toBe(true)
  })

  it('waits while somebody is served, until it is to stop', async () => {
    const stop = new AbortController()
    const standBack = new StandBack(anHour)
    standBack.served()
    const turn = standBack.turn(stop.signal)
    expect(await hasCome(turn)).toBe(false)
    stop.abort()
    await turn
  })

  it('waits until nobody was served for a while', async () => {
    const standBack = new StandBack({ ...anHour, quietMs: 1 })
    standBack.served()
    await expect(standBack.turn(new AbortController().signal)).resolves.toBeUndefined()
  })

  it('goes on all the same where somebody is served without end', async () => {
    const standBack = new StandBack({ ...anHour, longestMs: 1 })
    standBack.served()
    await expect(standBack.turn(new AbortController().signal)).resolves.toBeUndefined()
  })
})
