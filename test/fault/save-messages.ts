import { createHash, randomUUID } from 'node:crypto'

import { z } from 'zod'

import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { quietConfig } from '../support/quiet-config.ts'

/**
 * `save-messages.ts <home> <session> <first> <count>`: saves messages one by one through the core, as every transport does,
 * and prints the id, the number and the SHA-256 of each once it is acknowledged. A store that does not answer is asked
 * again with the same id, as a client does. The store is the embedded one in the home, or that of DATABASE_URL;
 * FAULT_SETTINGS holds further settings as JSON.
 */
const [home = '', sessionId = '', first = '0', count = '0'] = process.argv.slice(2)
const settings = z.record(z.string(), z.string()).parse(JSON.parse(process.env['FAULT_SETTINGS'] ?? '{}'))
const verbatim = await openVerbatim(quietConfig(home, process.env['DATABASE_URL'], settings))
const caller = localCaller('fault test')

for (let n = Number(first); n < Number(first) + Number(count); n++) {
  const messageId = `${sessionId}-${n}`
  const content = { text: `${messageId} \u0000 \ud800 ${randomUUID().repeat(1 + (n % 40))}` }
  const [saved] = (
    await verbatim.saveMessages(caller, {
      sessionId,
      messages: [{ content, sender: 'writer', role: 'user', messageId }],
    })
  ).messages
  const expected = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  if (saved?.sha256 !== expected) throw new Error(`message ${messageId} was acknowledged with another SHA-256`)
  process.stdout.write(`${messageId} ${saved.seq} ${saved.sha256}\n`)
}
await verbatim[Symbol.asyncDispose]()
