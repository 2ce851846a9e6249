import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import { useHome } from '../../../../test/door/support/home.ts'
import { Gateway, findOpenclaw, openclawVersions, type GatewayRequest } from '../support/gateway.ts'
import { MockModel } from '../support/mock-model.ts'
import { rowsInOpenclaw, rowsInVerbatim } from '../support/rows.ts'

/** A new session with one turn. */
function firstTurn(name: string): readonly GatewayRequest[] {
  const key = `agent:main:${name}`
  const params = { sessionKey: key, message: `The first turn of ${name}`, idempotencyKey: name }
  return [
    { method: 'sessions.create', params: { key } },
    { method: 'chat.send', params, waits: true },
  ]
}

function spooledIn(state: string): string {
  const directory = join(state, 'verbatim', 'spool')
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'))
  return names.map((name) => readFileSync(join(directory, name), 'utf8')).join('\n')
}

describe.each(openclawVersions)(
  'a gateway of OpenClaw %s that ends right after the first turn of a session',
  (version) => {
    const openclaw = findOpenclaw(version)
    if (openclaw === undefined)
      console.warn(`Skipped: the end of a gateway of OpenClaw ${version}, as TEST_OPENCLAW names none`)
    const home = useHome()

    it.skipIf(openclaw === undefined)(
      'hands it over, when it is stopped or when it starts again',
      { timeout: 900_000 },
      async () => {
        if (openclaw === undefined) return
        const model = await MockModel.start()
        const start = () => Gateway.start(home, { ...openclaw, modelUrl: model.url })
        let gateway = await start()
        const everyRow = async () => {
          const stored = await rowsInOpenclaw(gateway.state)
          for (const [sessionId, rows] of stored) expect(await rowsInVerbatim(home, sessionId)).toBe(rows)
          return [...stored.values()].join('\n')
        }
        try {
          await gateway.converse(firstTurn('stopped'))
          await gateway.stop()
          const isStored = (await home.cli(['search', '--json', 'The first turn of stopped'])).stdout.includes(
            'of stopped',
          )
          expect(isStored || spooledIn(gateway.state).includes('The first turn of stopped')).toBe(true)
          gateway = await start()
          await gateway.converse(firstTurn('killed'))
          await gateway.stop('SIGKILL')
          gateway = await start()
          await vi.waitFor(
            async () => {
              const rows = await everyRow()
              for (const name of ['stopped', 'killed']) expect(rows).toContain(`The first turn of ${name}`)
            },
            { timeout: 60_000, interval: 1_000 },
          )
        } catch (error) {
          console.error(gateway.output)
          throw error
        } finally {
          await gateway.stop()
          await model.stop()
        }
      },
    )
  },
)
