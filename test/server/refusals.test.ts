import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { Home } from '../door/support/home.ts'
import { makeDatabase } from '../support/test-store.ts'

const databases = {
  ascii: `create database refused_ascii encoding SQL_ASCII locale 'C' template template0`,
  c: `create database refused_c encoding UTF8 locale 'C' template template0`,
  fast: `create database refused_fast`,
  bypassed: `create database refused_bypassed`,
} as const

const home = new Home()
let admin: postgres.Sql

beforeAll(async () => {
  admin = postgres(inject('testServer').adminUrl, { max: 1, onnotice: () => undefined })
  for (const statement of Object.values(databases)) await admin.unsafe(statement)
  await admin.unsafe('alter database refused_fast set synchronous_commit = off')
})
afterAll(async () => {
  for (const name of Object.keys(databases)) await admin.unsafe(`drop database if exists refused_${name} with (force)`)
  await admin.end()
  await home.dispose()
})

function urlOf(database: string): string {
  const url = new URL(inject('testServer').url)
  url.pathname = `/${database}`
  return url.href
}

describe('a server is refused by name, with what to do', () => {
  test.each([
    ['whose encoding is not UTF8', 'refused_ascii', /encoding of the database must be UTF8.*SQL_ASCII.*encoding UTF8/s],
    ['whose locale folds ASCII only', 'refused_c', /locale "C".*locale 'C\.UTF-8'/s],
    [
      'that acknowledges before it has stored',
      'refused_fast',
      /synchronous_commit is off.*set synchronous_commit = on/s,
    ],
    ['that has no such database', 'nowhere', /there is none of that name on the server.*create database/s],
  ])('one %s', async (_what, database, message) => {
    const { code, stderr, stdout } = await home.cli(['status'], { env: { DATABASE_URL: urlOf(database) } })
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('    at ')
  })

  test('one on which the role bypasses row level security', async () => {
    const url = new URL(inject('testServer').adminUrl)
    const role = `bypassing_${process.pid}`
    await admin.unsafe(`create role ${role} login bypassrls password '${role}'`)
    try {
      url.username = role
      url.password = role
      url.pathname = '/refused_bypassed'
      const { code, stderr } = await home.cli(['serve', '--port', '0'], { env: { DATABASE_URL: url.href } })
      expect(code).toBe(3)
      expect(stderr).toMatch(/role "bypassing_\d+" bypasses row level security.*ordinary role.*grant verbatim_tenant/s)
    } finally {
      await admin.unsafe(`drop role ${role}`)
    }
  })

  test('one on which the role may not act as that of tenants, nor make it', async () => {
    const role = `plain_${process.pid}`
    await admin.unsafe(`create role ${role} login password '${role}'`)
    await admin.unsafe(`create database refused_plain owner ${role}`)
    try {
      const url = new URL(urlOf('refused_plain'))
      url.username = role
      url.password = role
      const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: url.href } })
      expect(code).toBe(3)
      expect(stderr).toMatch(/may not act as "verbatim_tenant".*grant verbatim_tenant to plain_\d+/s)
      await admin.unsafe(`grant verbatim_tenant to ${role}`)
      expect(await home.cli(['status'], { env: { DATABASE_URL: url.href } })).toMatchObject({ code: 0 })
    } finally {
      await admin.unsafe(`drop database refused_plain with (force)`)
      await admin.unsafe(`drop role ${role}`)
    }
  })

  test('one whose tables belong to another role', async () => {
    const database = await makeDatabase()
    const role = `stranger_${process.pid}`
    await admin.unsafe(`create role ${role} login password '${role}'`)
    await admin.unsafe(`grant verbatim_tenant to ${role}`)
    try {
      const url = new URL(database.url)
      url.username = role
      url.password = role
      const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: url.href } })
      expect(code).toBe(3)
      expect(stderr).toMatch(
        /its tables belong to the role "(.+)", and DATABASE_URL names "stranger_\d+"\nName "\1" in.*reassign owned by "\1" to/,
      )
      // What an administrator owns cannot be reassigned, and whose the schema of migrations is says nothing of the tables.
      const above = new URL(inject('testServer').adminUrl)
      above.pathname = new URL(database.url).pathname
      const inside = postgres(above.href, { max: 1 })
      await inside.unsafe('alter table messages owner to current_user')
      await inside.end()
      const { stderr: administered } = await home.cli(['status'], { env: { DATABASE_URL: url.href } })
      const [who] = await admin<{ name: string }[]>`select current_user as name`
      expect(administered).toContain(`Name "${who?.name}" in DATABASE_URL`)
      expect(administered).not.toContain('reassign')
    } finally {
      await database.drop()
      await admin.unsafe(`drop role ${role}`)
    }
  })

  test.each([
    [
      'not connect to it',
      'revoke connect on database refused_closed from public',
      /role may not connect to it\n.*grant connect/,
    ],
    [
      'not be at all',
      'alter database refused_closed allow_connections false',
      /takes no connections\n.*allow_connections true/,
    ],
  ])('one in whose database a role may %s', async (_what, statement, message) => {
    await admin.unsafe('create database refused_closed')
    try {
      await admin.unsafe(statement)
      const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: urlOf('refused_closed') } })
      expect(code).toBe(3)
      expect(stderr).toMatch(message)
      expect(stderr).not.toContain('a defect')
    } finally {
      await admin.unsafe('drop database refused_closed with (force)')
    }
  })

  test.each([
    ['nologin', '', /does not let this user in.*\n.*LOGIN.*pg_hba\.conf.*sslmode=require/],
    ['login', 'connection limit 0', /has no connection free\n.*VERBATIM_DATABASE_CONNECTIONS/],
  ])('one whose role has %s %s', async (login, limit, message) => {
    const role = `barred_${process.pid}`
    await admin.unsafe(`create role ${role} ${login} ${limit} password '${role}'`)
    try {
      const url = new URL(urlOf('postgres'))
      url.username = role
      url.password = role
      const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: url.href } })
      expect(code).toBe(3)
      expect(stderr).toMatch(message)
    } finally {
      await admin.unsafe(`drop role ${role}`)
    }
  })

  test('one that takes reads alone, by what would write', async () => {
    const database = await makeDatabase()
    const name = new URL(database.url).pathname.slice(1)
    await admin.unsafe(`alter database ${name} set default_transaction_read_only = on`)
    try {
      const { code, stderr } = await home.cli(['tenant', 'create', 'acme'], { env: { DATABASE_URL: database.url } })
      expect(code).toBe(3)
      expect(stderr).toMatch(
        /takes nothing but reads\n.*target_session_attrs=read-write.*default_transaction_read_only/,
      )
    } finally {
      await database.drop()
    }
  }, 90_000)

  test('one that is not there, without its password', async () => {
    const env = { DATABASE_URL: 'postgres://ada:secret-word@127.0.0.1:1/verbatim' }
    const { code, stderr } = await home.cli(['status'], { env })
    expect(code).toBe(3)
    expect(stderr).toContain('Cannot use the database server at postgres://ada@127.0.0.1:1/verbatim now')
    expect(stderr).not.toContain('secret-word')
    const doctor = await home.cli(['doctor'], { env })
    expect(doctor.stdout).toContain('DATABASE_URL=postgres://ada@127.0.0.1:1/verbatim')
    expect(doctor.stdout + doctor.stderr).not.toContain('secret-word')
  })

  test.each(['mysql://root@localhost/app', 'postgres://localhost', 'not a url'])(
    'one whose address is %s',
    async (url) => {
      const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: url } })
      expect(code).toBe(2)
      expect(stderr).toMatch(/DATABASE_URL must be like postgres:\/\/.*set it to nothing for Verbatim/s)
    },
  )

  test.each([
    ['postgres://ada:sec@ret-word@db.example.org/app', /characters such as @ .* percent-encoded/],
    ['postgres://ada:ret-word%@db.example.org/app', /a % itself is written as %25/],
    ['postgres://ada:ret-word@/app?host=/run/postgresql', /"host" has its place before the question mark/],
    ['postgres://ada:ret-word@::1:5432/app', /an IPv6 address stands in \[brackets\]/],
    ['postgres://ada:ret-word@db.example.org:54321x/app', /then a colon and its port/],
    ['postgres://ada:ret-word@db.example.org:99999/app', /a port is a number from 1 to 65535/],
    ['postgres://ada:ret-word@db.example.org/app?sslmode=on', /sslmode is one of disable, .*, verify-full/],
    ['postgres://ada:ret-word@a,b/app?target_session_attrs=standby', /target_session_attrs is one of any, read-write/],
  ])('one whose address is %s, with what is wrong and without its password', async (url, why) => {
    const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: url } })
    expect(code).toBe(2)
    expect(stderr).toMatch(why)
    expect(stderr).not.toContain('ret-word')
  })
})
