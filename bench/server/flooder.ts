// Sends as many saves a second as it is told to, whatever it is answered, until its stdin ends; then it says what it was answered.
import { Agent, request } from 'node:http'

const [, , url = '', token = '', perSecond = '1'] = process.argv
const tickMs = 20
const atOnceMax = 1_000
const agent = new Agent({ keepAlive: true, maxSockets: atOnceMax })
const answers: Record<string, number> = {}
let inFlight = 0
let due = 0

function send(): void {
  inFlight++
  const args = { content: 'One of very many.', sender: 'Mallory', session_id: 'flood' }
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'save_message', arguments: args },
  })
  const count = (what: string) => {
    inFlight--
    answers[what] = (answers[what] ?? 0) + 1
  }
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'content-length': Buffer.byteLength(body),
  }
  request(new URL('/mcp', url), { agent, method: 'POST', headers }, (response) => {
    response.resume()
    response.once('end', () => count(String(response.statusCode)))
  })
    .once('error', () => count('no answer'))
    .end(body)
}

const timer = setInterval(() => {
  due += (Number(perSecond) * tickMs) / 1_000
  for (; due >= 1; due--) if (inFlight < atOnceMax) send()
}, tickMs)
process.stdin.resume().once('end', () => {
  clearInterval(timer)
  agent.destroy()
  process.stdout.write(`${JSON.stringify(answers)}\n`)
  process.exitCode = 0
})
