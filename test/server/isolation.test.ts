import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

import { useHome } from '../door/support/home.ts'
import { HttpHome } from '../door/support/http-home.ts'

/** The whole of what the issue of server mode asks for is 100,000 calls of 50 tenants: ISOLATION_CALLS=100000 ISOLATION_TENANTS=50. */
const calls = Number(process.env['ISOLATION_CALLS'] ?? 1_500)
const tenantCount = Number(process.env['ISOLATION_TENANTS'] ?? 8)
const ways = 16

const home = useHome()
let server: HttpHome

interface Tenant {
  readonly name: string
  readonly token: string
  /** What only this tenant has said. */
  readonly canary: string
  readonly session: string
  readonly message: string
  /** What was learned of it. */
  readonly fact: string
  readonly cursors: readonly string[]
}
const tenants: Tenant[] = []

/** Every caller uses the same id, as clients that count from 1 do. */
async function call(token: string, method: string, params: Readonly<Record<string, unknown>>): Promise<string> {
  const response = await server.post({
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  return await response.text()
}

function tool(token: string, name: string, args: Readonly<Record<string, unknown>>): Promise<string> {
  return call(token, 'tools/call', { name, arguments: args })
}

const structured = z.object({ result: z.looseObject({ structuredContent: z.looseObject({}) }) })
const savedSchema = z.looseObject({ session_id: z.string(), message_id: z.string() })

function structuredOf(answer: string): unknown {
  return structured.parse(JSON.parse(answer)).result.structuredContent
}

const profileSchema = z.object({ facts: z.array(z.object({ id: z.string() })) })
const contentsSchema = z.object({ result: z.object({ contents: z.array(z.object({ text: z.string() })) }) })

async function factsOf(token: string): Promise<z.infer<typeof profileSchema>['facts']> {
  const { result } = contentsSchema.parse(JSON.parse(await call(token, 'resources/read', { uri: 'memory://profile' })))
  return profileSchema.parse(JSON.parse(result.contents[0]?.text ?? '')).facts
}

/** Says something that is learned, and gives the id of what was learned. */
async function learnedFact(token: string, canary: string): Promise<string> {
  const content = `My favourite harbour is Harbour ${canary}.`
  await tool(token, 'save_message', { sender: 'Eve', content, session_id: 'told' })
  return await vi.waitFor(
    async () => {
      const [fact] = await factsOf(token)
      if (fact === undefined) throw new Error('Nothing was learned')
      return fact.id
    },
    { timeout: 20_000, interval: 100 },
  )
}

async function makeTenant(index: number): Promise<Tenant> {
  const name = `tenant ${index}`
  const made = await home.cli(['tenant', 'create', name])
  if (made.code !== 0) throw new Error(made.stderr)
  const created = await home.cli(
    [
      'token',
      'create',
      '--name',
      'tests',
      '--principal',
      'somebody',
      '--scopes',
      'memory:read,memory:write,memory:delete',
    ],
    { env: { VERBATIM_TENANT: name } },
  )
  if (created.code !== 0) throw new Error(created.stderr)
  const token = created.stdout.trim()
  const canary = `canary-${randomUUID()}`
  // The same names everywhere: only the tenant tells them apart.
  const content = `The harbour master said ${canary}.`
  const said = { sender: 'Eve', content, session_id: 'same name', message_id: 'same message' }
  const saved = savedSchema.parse(structuredOf(await tool(token, 'save_message', said)))
  for (const more of [1, 2, 3])
    await tool(token, 'save_message', { sender: 'Eve', content: `${content} Again, ${more}.`, session_id: 'same name' })
  await tool(token, 'save_message', { sender: 'Eve', content, session_id: 'other name' })
  const cursors: string[] = []
  for (const [reader, args] of [
    ['get_session', { session_id: 'same name', limit: 1 }],
    ['list_sessions', { limit: 1 }],
    ['search_memory', { query: 'harbour', limit: 1, format: 'json' }],
  ] as const) {
    const { next_cursor: cursor } = z
      .looseObject({ next_cursor: z.string() })
      .parse(structuredOf(await tool(token, reader, args)))
    cursors.push(cursor)
  }
  const fact = await learnedFact(token, canary)
  return { name, token, canary, session: saved.session_id, message: saved.message_id, fact, cursors }
}

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true, env: { VERBATIM_LOG_LEVEL: 'warn' } })
  for (let index = 0; index < tenantCount; index++) tenants.push(await makeTenant(index))
}, 600_000)
afterAll(async () => {
  await server.stop()
})

const toolSchema = z.object({
  name: z.string(),
  inputSchema: z.looseObject({
    properties: z.record(z.string(), z.unknown()),
    required: z.array(z.string()).optional(),
  }),
})

/** What the arguments that are no ids are filled with, where a tool asks for them. */
const usual: Readonly<Record<string, unknown>> = {
  content: 'x',
  sender: 'x',
  query: 'harbour',
  title: 'taken',
  deleted: true,
  messages: [{ content: 'x', sender: 'x' }],
  session_id: 'same name',
}

/** What is to be changed, where a tool asks for a change that is one of several arguments. */
const changes: ReadonlyMap<string, readonly string[]> = new Map([
  ['update_session', ['title']],
  ['update_fact', ['deleted']],
])

/** Each argument of each tool that names something, with each id of somebody else. */
async function foreignCalls(token: string, other: Tenant): Promise<{ name: string; args: Record<string, unknown> }[]> {
  const listed = z
    .object({ result: z.object({ tools: z.array(toolSchema) }) })
    .parse(JSON.parse(await call(token, 'tools/list', {})))
  const ids = [other.session, other.session.toUpperCase(), other.message, other.fact, ...other.cursors]
  return listed.result.tools.flatMap(({ name, inputSchema }) => {
    const named = Object.keys(inputSchema.properties).filter((argument) => /_id$|cursor/.test(argument))
    const needed = [...(inputSchema.required ?? []), ...(changes.get(name) ?? [])]
    const others = Object.fromEntries(needed.map((argument) => [argument, usual[argument]]))
    return named.flatMap((argument) => ids.map((id) => ({ name, args: { ...others, [argument]: id } })))
  })
}

describe('tenants over HTTP', () => {
  test('a tool answers nothing of another tenant, whichever of its ids is given for which argument', async () => {
    const [mine, other] = tenants
    if (mine === undefined || other === undefined) throw new Error('two tenants are needed')
    const before = await tool(other.token, 'get_session', { session_id: other.session })
    const facts = await factsOf(other.token)
    const foreign = await foreignCalls(mine.token, other)
    expect(new Set(foreign.map(({ name }) => name)).size).toBe(10)
    expect(foreign).toContainEqual({ name: 'update_fact', args: { fact_id: other.fact, deleted: true } })
    for (const { name, args } of foreign) {
      const answer = await tool(mine.token, name, args)
      expect(answer).not.toContain(other.canary)
      expect(answer).not.toContain('internal error')
    }
    expect(await tool(other.token, 'get_session', { session_id: other.session })).toBe(before)
    expect(await factsOf(other.token)).toEqual(facts)
  })

  test('a resource or a prompt answers nothing of another tenant', async () => {
    const [mine, other] = tenants
    if (mine === undefined || other === undefined) throw new Error('two tenants are needed')
    const uris = [
      ...['', '/transcript', '/summary', '/context', `/messages/${other.message}`, '/messages/same%20message'].map(
        (view) => `session://${other.session}${view}`,
      ),
      `session://same%20name/messages/${other.message}`,
      ...other.cursors.map((cursor) => `memory://sessions?cursor=${cursor}`),
      'memory://profile',
      'memory://status',
    ]
    for (const uri of uris) {
      expect(await call(mine.token, 'resources/read', { uri })).not.toContain(other.canary)
    }
    for (const name of ['continue_session', 'handoff'])
      expect(await call(mine.token, 'prompts/get', { name, arguments: { session_id: other.session } })).not.toContain(
        other.canary,
      )
    // One that has not called a session of its own by that id.
    const third = tenants[2]
    const completed = await call(third?.token ?? '', 'completion/complete', {
      ref: { type: 'ref/resource', uri: 'session://{session_id}' },
      argument: { name: 'session_id', value: other.session.slice(0, 13) },
    })
    expect(completed).not.toContain(other.session)
  })

  test(
    `${calls} calls of ${tenantCount} tenants, ${ways} at once and all with the same id, get their own answers`,
    { timeout: 120_000 + calls * 100 },
    async () => {
      const canaries = tenants.map(({ canary }) => canary)
      let next = 0
      const leaks: string[] = []
      let own = 0
      const worker = async () => {
        while (next < calls && leaks.length === 0) {
          const index = next++
          const tenant = tenants[(index * 7) % tenants.length]
          const other = tenants[(index * 7 + 1) % tenants.length]
          if (tenant === undefined || other === undefined) throw new Error('there are tenants')
          const asked = [
            () => tool(tenant.token, 'search_memory', { query: 'harbour master' }),
            () => tool(tenant.token, 'get_session', { session_id: 'same name' }),
            () => tool(tenant.token, 'get_session', { session_id: other.session }),
            () => call(tenant.token, 'resources/read', { uri: 'session://same%20name/transcript' }),
            () => tool(tenant.token, 'save_message', { sender: 'Eve', content: tenant.canary, session_id: 'grows' }),
            () => tool(tenant.token, 'summarize', { session_id: 'same name' }),
            () => tool(tenant.token, 'recall_context', { session_id: 'same name', text: 'harbour master' }),
            () => tool(tenant.token, 'list_sessions', {}),
          ]
          const answer = (await asked[index % asked.length]?.()) ?? ''
          if (answer.includes(tenant.canary)) own++
          for (const canary of canaries)
            if (canary !== tenant.canary && answer.includes(canary)) leaks.push(`${index}: ${canary}`)
        }
      }
      await Promise.all(Array.from({ length: ways }, worker))
      expect(leaks).toEqual([])
      // Four of the seven kinds of call answer with what the tenant itself has said.
      expect(own).toBeGreaterThanOrEqual(Math.floor((calls * 4) / 7) - 7)
    },
  )

  test('a disabled tenant is let in no more, and nobody else is touched', async () => {
    const [first, second] = tenants
    if (first === undefined || second === undefined) throw new Error('two tenants are needed')
    expect(await home.cli(['tenant', 'disable', first.name])).toMatchObject({ code: 0 })
    await expect
      .poll(() => tool(first.token, 'list_sessions', {}), { timeout: 15_000, interval: 500 })
      .toContain('unknown, expired or revoked')
    expect(await tool(second.token, 'get_session', { session_id: 'same name' })).toContain(second.canary)
    expect(await home.cli(['tenant', 'enable', first.name])).toMatchObject({ code: 0 })
    await expect
      .poll(() => tool(first.token, 'get_session', { session_id: 'same name' }), { timeout: 15_000, interval: 500 })
      .toContain(first.canary)
  })

  test('the command line reads the memory of the tenant that the settings name', async () => {
    const [first, second] = tenants
    if (first === undefined || second === undefined) throw new Error('two tenants are needed')
    const shown = await home.cli(['show', 'same name'], { env: { VERBATIM_TENANT: first.name } })
    expect(shown.stdout).toContain(first.canary)
    expect(shown.stdout).not.toContain(second.canary)
    const unknown = await home.cli(['sessions'], { env: { VERBATIM_TENANT: 'nobody' } })
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no tenant "nobody"') })
    const twice = await home.cli(['tenant', 'create', first.name])
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('there is one of this name') })
    const listed = await home.cli(['tenant', 'list', '--json'])
    expect(JSON.parse(listed.stdout)).toHaveLength(tenantCount + 1)
  })
})
