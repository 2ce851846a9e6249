import { describe, expect, it, test } from 'vitest'

import { EndedRows } from '../../src/store/ended-rows.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()

test('An answer has no holes after a statement that failed amid its rows, on any connection', async () => {
  const { database } = store.open.stores
  for (let round = 0; round < 12; round++) {
    const failing = database.run((sql) => sql`select 10 / (4 - i) as part from generate_series(1, 10) i`)
    const next = database.run((sql) => sql`select i from generate_series(1, 5) i`)
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect([...(await next)]).toEqual([1, 2, 3, 4, 5].map((i) => ({ i })))
    expect([...(await database.run((sql) => sql`select 1 as one`))]).toEqual([{ one: 1 }])
  }
})

describe('EndedRows', () => {
  const message = (type: string, body: string) => {
    const bytes = Buffer.from(`${type}\0\0\0\0${body}`)
    bytes.writeUInt32BE(bytes.length - 1, 1)
    return bytes
  }
  const end = message('C', 'SELECT\0')
  const sent = Buffer.concat([
    message('T', 'columns'),
    message('D', 'EEEE'),
    message('C', 'SELECT 1'),
    message('E', 'no rows before'),
    message('Z', 'I'),
    message('D', 'one'),
    message('D', ''),
    message('E', 'after two rows'),
    message('Z', 'I'),
  ])
  const cut = sent.length - message('E', 'after two rows').length - message('Z', 'I').length
  const expected = Buffer.concat([sent.subarray(0, cut), end, sent.subarray(cut)])

  it('ends the rows before an error, however the bytes come', () => {
    for (let size = 1; size <= sent.length; size++) {
      const rows = new EndedRows()
      const passed: Buffer[] = []
      for (let at = 0; at < sent.length; at += size) passed.push(rows.pass(sent.subarray(at, at + size)))
      expect(Buffer.concat(passed)).toEqual(expected)
    }
  })
})
