import { expect, onTestFinished, test } from 'vitest'

import { archiveNow, everything, openHome } from '../door/support/archived.ts'
import { bucketSettings, s3Endpoint } from '../door/support/bucket.ts'
import { FaultProxy, type Fault } from '../support/fault-proxy.ts'

const faults: readonly Fault[] = ['refused', 'reset', 'lost answer', 'slow', 'unavailable', 'truncated', 'altered']
/** Of three connections one is good. */
const storm = faults.flatMap((fault) => [fault, fault, undefined])
const attemptsMax = 30

test.skipIf(s3Endpoint === undefined)(
  'a bucket behind a network with every fault holds everything in the end, and gives it back, byte for byte',
  { timeout: 600_000 },
  async () => {
    const proxy = await FaultProxy.start(s3Endpoint ?? '')
    onTestFinished(() => proxy.stop())
    // Rows are compared, and each store seals them anew.
    const settings = { ...(await bucketSettings(proxy.url)), VERBATIM_ENCRYPTION: 'off' }
    const first = await openHome(settings)
    const tools = await first.tools()
    let met = 0
    for (const round of faults.keys()) {
      for (let session = 0; session < 6; session++)
        await tools.saveAll({
          session_id: `session ${session}`,
          messages: Array.from({ length: 5 }, (_, index) => ({
            content: `${round} ${session} ${index}`,
            sender: 'Ada',
          })),
        })
      proxy.storm(storm)
      // Whatever it says, nothing that is there may be lost or half written for a reader.
      await first.cli(['archive', '--now'])
      met += proxy.calm()
    }
    await tools.save({ content: `large ${'z'.repeat(2 * 1024 * 1024)}`, sender: 'Ada', session_id: 'session 0' })
    expect(met).toBeGreaterThan(faults.length)
    await archiveNow(first)
    const before = await everything(first)
    const verified = await first.cli(['verify'])
    expect(verified.stdout).toMatch(/all intact/)
    expect(verified.code).toBe(0)
    await first.dispose()

    const second = await openHome(settings)
    const said: string[] = []
    let code: number | null = null
    proxy.storm(storm)
    for (let attempt = 0; attempt < attemptsMax && code !== 0; attempt++) {
      const restored = await second.cli(['restore'])
      code = restored.code
      said.push(`${restored.stdout}${restored.stderr}`)
    }
    expect(proxy.calm()).toBeGreaterThan(0)
    // A store that could not be read is said to be away, and never to be damaged.
    expect(said.join('\n')).not.toMatch(/PROBLEM|internal error/i)
    expect(code === 0 ? [] : said).toEqual([])
    expect(await everything(second)).toEqual(before)
    expect((await second.cli(['archive'])).stdout).toBe('everything is archived\n')
  },
)
