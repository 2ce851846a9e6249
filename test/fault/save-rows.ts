import { createHash, randomUUID } from 'node:crypto'

import { connectEmbedded } from '../../src/store/embedded/client.ts'
import { withReconnect } from '../../src/store/reconnect.ts'

/**
 * `save-rows.ts <home> <writer> <count>`: saves rows one by one, as a client does that tries again when its connection
 * is lost, and prints the id and the SHA-256 of each row once it is acknowledged.
 */
const [home = '', writer = '', count = '0'] = process.argv.slice(2)
const store = connectEmbedded({ home, version: '1.2.3', idleMs: 5_000 })

for (let n = 0; n < Number(count); n += 1) {
  const id = `${writer}-${n}`
  const body = `${id} ${randomUUID().repeat(1 + (n % 60))}`
  await withReconnect(
    async () => store.sql`insert into saved (id, body) values (${id}, ${body}) on conflict do nothing`,
    {
      withinMs: 60_000,
    },
  )
  process.stdout.write(`${id} ${createHash('sha256').update(body).digest('hex')}\n`)
}
await store.close()
