import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { Delivery } from '../../src/delivery.ts'
import { Spool } from '../../src/spool.ts'

/** Delivers some segments with an importer that is a script; `calls` are the numbers of files that it was given each time. */
async function deliver(script: string, rows: readonly string[], options: { readonly keepsComing?: boolean } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'verbatim-delivery-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const program = join(directory, 'importer.mjs')
  const calls = join(directory, 'calls')
  writeFileSync(program, script)
  writeFileSync(calls, '')
  writeFileSync(`${calls}.rows`, '')
  const spool = new Spool(join(directory, 'spool'), { bytesMax: 1_000_000 })
  for (const row of rows) await spool.write({ agentId: 'main', lines: [Buffer.from(row)] })
  const errors: string[] = []
  const delivery = new Delivery({
    spool,
    find: () => [process.execPath, program],
    env: { ...process.env, CALLS: calls },
    log: { info: () => undefined, warn: () => undefined, error: (message) => void errors.push(message) },
    pauseMs: { first: 5, longest: 10 },
    held: { passesMax: 5, heldMs: 200 },
  })
  onTestFinished(() => delivery.close())
  delivery.wake()
  await expect
    .poll(
      async () => {
        if (options.keepsComing === true && errors.length === 0 && (await spool.list()).length < 3) {
          await spool.write({ agentId: 'main', lines: [Buffer.from('{"row":"more"}')] })
          delivery.wake()
        }
        return await spool.list()
      },
      { timeout: 50_000, interval: 20 },
    )
    .toEqual([])
  const aside = readdirSync(join(directory, 'spool', 'agents', 'main', 'sessions'))
  return {
    calls: readFileSync(calls, 'utf8').trim().split('\n').map(Number),
    errors,
    aside: aside.map((name) => readFileSync(join(directory, 'spool', 'agents', 'main', 'sessions', name), 'utf8')),
    order: readFileSync(`${calls}.rows`, 'utf8').trim().split('\n'),
  }
}

const start = `
import { appendFileSync, readFileSync } from 'node:fs'
const paths = process.argv.slice(2).filter((arg) => arg.endsWith('.jsonl'))
appendFileSync(process.env.CALLS, paths.length + '\\n')
`
const end = `
console.log(JSON.stringify(paths.map((path) => ({ path, status: 'imported' }))))
`

test('takes less at once where an import ends without a word, and more again when it does not', async () => {
  const { calls, errors } = await deliver(
    `${start} if (paths.length > 2) process.exit(1) ${end}`,
    Array.from({ length: 9 }, (_, at) => `{"row":${at}}`),
  )
  expect(calls.slice(0, 5)).toEqual([9, 5, 3, 2, 4])
  expect(errors).toEqual([])
})

test('puts aside the one segment that ends its importer each time, and sends the others', async () => {
  const { calls, errors } = await deliver(
    `${start} if (paths.some((path) => readFileSync(path, 'utf8').includes('heavy'))) process.kill(process.pid, 'SIGKILL') ${end}`,
    ['{"row":"heavy"}', '{"row":"light"}'],
  )
  expect(calls.length).toBeGreaterThan(20)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(/refuses rows.*\.rejected$/u)
})

/** Takes the files one after the other, as the importer does with rows: it ends at the first that is not taken. */
const takeEach = (isTaken: string) => `
const reports = []
for (const path of paths) {
  const text = readFileSync(path, 'utf8')
  const status = (${isTaken}) ? 'imported' : 'failed'
  reports.push({ path, status })
  if (status === 'failed') break
  appendFileSync(process.env.CALLS + '.rows', text)
}
console.log(JSON.stringify(reports))
process.exitCode = reports.every(({ status }) => status === 'imported') ? 0 : 3
`

test('sends other sessions past a row that finds the store away each time, and puts it aside, kept, in the end', async () => {
  const [header, heavy] = ['{"type":"session","id":"a"}', '{"row":"heavy"}']
  const { errors, aside, order } = await deliver(
    `${start} ${takeEach("!text.includes('heavy')")}`,
    [`${header}\n${heavy}`, '{"row":"light"}', `${header}\n{"row":"after"}`],
    { keepsComing: true },
  )
  expect(order[0]).toBe('{"row":"light"}')
  // How many go past it while it is tried depends on the machine.
  expect(order.filter((row) => row.includes('more')).length).toBeGreaterThan(0)
  // What follows it in its session waits for it, and not for ever.
  expect(order.filter((row) => !row.includes('more'))).toEqual(['{"row":"light"}', header, '{"row":"after"}'])
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(/refuses rows.*\.rejected$/u)
  expect(aside).toEqual([`${header}\n${heavy}\n`])
})

test('puts nothing aside while all find the store away, however long', async () => {
  const { errors, order } = await deliver(
    `${start} import { statSync } from 'node:fs'
     const isAway = statSync(process.env.CALLS).size < 24
     ${takeEach('!isAway')}`,
    ['{"row":1}', '{"row":2}', '{"row":3}'],
  )
  expect(errors).toEqual([])
  expect(order.toSorted()).toEqual(['{"row":1}', '{"row":2}', '{"row":3}'])
})
