import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, vi } from 'vitest'

import { useHome } from '../../../../test/door/support/home.ts'
import { Gateway, findOpenclaw, openclawVersions, type GatewayRequest } from '../support/gateway.ts'
import { killableOwner, killablePostgres, lacksPostgres } from '../support/killable-store.ts'
import { MockModel } from '../support/mock-model.ts'
import { rowsInOpenclaw, rowsInVerbatim, sessionsInVerbatim } from '../support/rows.ts'

/** How long the server is away: seconds in every run, an hour where somebody asks for it. */
const outageSeconds = Number(process.env['OUTAGE_SECONDS'] ?? 15)
const isLong = outageSeconds > 60
/** Between two turns of the outage. */
const turnSeconds = Math.min(60, outageSeconds / 6)
/** The plugin's longest pause is a minute. */
const deliverySeconds = 180
const [newest, lastWithFiles] = openclawVersions

const cases = [
  { version: newest, store: 'PostgreSQL' },
  // What differs is tried as well where there is time.
  ...(isLong
    ? [
        { version: newest, store: 'embedded' },
        { version: lastWithFiles, store: 'PostgreSQL' },
      ]
    : []),
] as const

/** Every third turn asks Verbatim itself, by its MCP server, and waits for what that says. */
const isAsking = (count: number): boolean => count % 3 === 1

/** Whom turns are held with: one session goes on all the time, and now and then a new one begins. */
function turn(count: number): readonly GatewayRequest[] {
  const isNew = count % 4 === 3
  const key = isNew ? `agent:main:new-${count}` : 'agent:main:outage'
  const message = isAsking(count)
    ? `Question ${count}: use verbatim__search_memory {"query":"Miso in Turin ${count}"}`
    : `Question ${count}: where does Miso the cat live? \u{1f408} 猫`
  const say = {
    method: 'chat.send',
    params: { sessionKey: key, message, idempotencyKey: `turn-${count}` },
    waits: true,
  }
  return isNew || count === 0 ? [{ method: 'sessions.create', params: { key } }, say] : [say]
}

function waitingIn(state: string): readonly string[] {
  const directory = join(state, 'verbatim', 'spool')
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.jsonl'))
}

async function noticed(gateway: Gateway): Promise<void> {
  const hasNoticed = () => expect(gateway.output).toContain('Verbatim does not answer')
  await vi.waitFor(hasNoticed, { timeout: 60_000, interval: 500 })
}

describe.each(cases)('a server that is killed under OpenClaw $version ($store)', ({ version, store: kind }) => {
  const openclaw = findOpenclaw(version)
  const lacking =
    openclaw === undefined ? 'TEST_OPENCLAW names none' : kind === 'PostgreSQL' ? lacksPostgres() : undefined
  if (lacking !== undefined) console.warn(`Skipped: an outage under OpenClaw ${version} (${kind}), as ${lacking}`)
  const home = useHome()

  const timeoutMs = (outageSeconds + deliverySeconds + 1_200) * 1_000
  it.skipIf(lacking !== undefined)('costs nothing, and nothing is there twice', { timeout: timeoutMs }, async () => {
    if (openclaw === undefined) return
    const store = kind === 'PostgreSQL' ? await killablePostgres(home) : killableOwner(home)
    const model = await MockModel.start()
    const start = () => Gateway.start(home, { ...openclaw, modelUrl: model.url, recallTimeoutMs: 700 })
    let gateway = await start()
    let turns = 0
    const take = async (): Promise<number> => {
      const startedAt = performance.now()
      const replies = await gateway.converse(turn(turns++))
      expect(replies.filter(({ ok }) => !ok)).toEqual([])
      return Math.round(performance.now() - startedAt)
    }
    try {
      const before: number[] = []
      for (let count = 0; count < 3; count++) before.push(await take())
      // Those of the last turn are on their way.
      await store.kill()
      const killedAt = performance.now()
      const during: number[] = []
      const goOnUntil = async (seconds: number): Promise<void> => {
        do {
          during.push(await take())
          await sleep(turnSeconds * 1_000)
        } while (performance.now() - killedAt < seconds * 1_000)
      }
      await goOnUntil(outageSeconds / 3)
      if (isLong) {
        await noticed(gateway)
        await gateway.stop()
        gateway = await start()
        await goOnUntil((outageSeconds * 2) / 3)
      }
      await gateway.stop('SIGKILL')
      gateway = await start()
      await goOnUntil(outageSeconds)
      const waiting = waitingIn(gateway.state)
      expect(waiting.length).toBeGreaterThanOrEqual(during.length)
      const outageMs = performance.now() - killedAt
      await store.start()
      const backAt = performance.now()
      await vi.waitFor(() => expect(waitingIn(gateway.state)).toEqual([]), {
        timeout: deliverySeconds * 1_000,
        interval: 500,
      })
      const deliveredMs = performance.now() - backAt
      const sessionsBefore = (await sessionsInVerbatim(home)).size
      const isNewSession = turns % 4 === 3
      await take()
      // The plugin reads a turn after OpenClaw has answered: until then nothing of it waits.
      await vi.waitFor(
        async () => {
          expect((await sessionsInVerbatim(home)).size).toBe(sessionsBefore + (isNewSession ? 1 : 0))
          expect(waitingIn(gateway.state)).toEqual([])
        },
        { timeout: 60_000, interval: 2_000 },
      )
      await gateway.stop()
      const stored = await rowsInOpenclaw(gateway.state)
      for (const [sessionId, rows] of stored) expect(await rowsInVerbatim(home, sessionId)).toBe(rows)
      const counts = [...stored].map(([name, rows]) => [`main/${name}`, rows.split('\n').length] as const)
      expect(await sessionsInVerbatim(home)).toEqual(new Map(counts))
      // Nor has OpenClaw itself left out a turn.
      const all = [...stored.values()].join('\n')
      for (let count = 0; count < turns; count++) expect(all).toContain(`Question ${count}:`)
      const rows = counts.reduce((total, [, count]) => total + count, 0)
      console.warn(
        JSON.stringify({
          version,
          store: kind,
          outage_s: Math.round(outageMs / 1_000),
          turns,
          sessions: stored.size,
          rows,
          waiting_at_end: waiting.length,
          delivered_after_s: Math.round(deliveredMs / 1_000),
          turn_ms_before: before,
          turn_ms_during: during.filter((_, index) => !isAsking(before.length + index)),
          asking_turn_ms_during: during.filter((_, index) => isAsking(before.length + index)),
        }),
      )
    } catch (error) {
      console.error(gateway.output)
      throw error
    } finally {
      await gateway.stop()
      await model.stop()
      await store.dispose()
    }
  })
})
