import { text } from 'node:stream/consumers'

/**
 * Holds a conversation with a gateway of OpenClaw: reads `{ url, token, requests }` from stdin, sends the requests one
 * after the other over one connection, and writes their replies to stdout. Plain JavaScript, as it runs on the Node.js that
 * OpenClaw needs, which has WebSocket.
 */
const runMs = 60_000
const { url, token, requests } = JSON.parse(await text(process.stdin))
const socket = new WebSocket(url)
const pending = new Map()
let count = 0

function call(method, params) {
  const id = String(++count)
  socket.send(JSON.stringify({ type: 'req', id, method, params }))
  return new Promise((resolve) => {
    pending.set(id, resolve)
  })
}

async function converse() {
  const client = { id: 'gateway-client', version: '1.0.0', platform: process.platform, mode: 'backend' }
  const scopes = ['operator.read', 'operator.write', 'operator.admin']
  const versions = { minProtocol: 3, maxProtocol: 9 }
  const hello = await call('connect', { ...versions, client, role: 'operator', scopes, caps: [], auth: { token } })
  if (!hello.ok) throw new Error(JSON.stringify(hello.error))
  const replies = []
  for (const { method, params, waits, keyOf } of requests) {
    const key = keyOf === undefined ? undefined : replies[keyOf]?.payload?.key
    const named = key === undefined ? {} : { sessionKey: key }
    const reply = await call(method, { ...params, ...named })
    replies.push(reply)
    if (waits === true) await call('agent.wait', { runId: reply.payload?.runId, timeoutMs: runMs })
  }
  return replies
}

socket.addEventListener('message', ({ data }) => {
  const frame = JSON.parse(data)
  if (frame.type === 'res') pending.get(frame.id)?.(frame)
  if (frame.event !== 'connect.challenge') return
  converse().then(
    (replies) => process.stdout.write(JSON.stringify(replies), () => process.exit(0)),
    (error) => process.stderr.write(String(error), () => process.exit(1)),
  )
})
socket.addEventListener('close', () => process.exit(1))
