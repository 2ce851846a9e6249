import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { Home } from '../door/support/home.ts'

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
})
