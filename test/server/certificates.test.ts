import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Home } from '../door/support/home.ts'
import { makeDatabase } from '../support/test-store.ts'
import { certificate, TlsFront } from '../support/tls-front.ts'

const home = new Home()
const trusted = join(home.userHome, 'authority.pem')
let database: Awaited<ReturnType<typeof makeDatabase>>
let front: TlsFront

beforeAll(async () => {
  writeFileSync(trusted, certificate)
  database = await makeDatabase()
  front = await TlsFront.start(database.url)
})
afterAll(async () => {
  await front.stop()
  await database.drop()
  await home.dispose()
})

async function statusAt(host: string, options: { readonly sslmode: string; readonly trusts?: boolean }) {
  const url = new URL(database.url)
  url.host = `${host}:${front.port}`
  url.search = `?sslmode=${options.sslmode}`
  const before = front.used
  const { code, stderr } = await home.cli(['status'], {
    env: { DATABASE_URL: url.href, ...(options.trusts === true ? { NODE_EXTRA_CA_CERTS: trusted } : {}) },
  })
  return { code, stderr, used: front.used > before }
}

describe('sslmode=verify-full', () => {
  test('speaks to a server whose certificate is for its name, and signed by one that is trusted', async () => {
    expect(await statusAt('localhost', { sslmode: 'verify-full', trusts: true })).toMatchObject({ code: 0, used: true })
  })

  test('says nothing to one whose certificate is for another name, by which an address is not called', async () => {
    const { code, stderr, used } = await statusAt('127.0.0.1', { sslmode: 'verify-full', trusts: true })
    expect({ code, used }).toEqual({ code: 3, used: false })
    expect(stderr).toMatch(
      /Cannot trust the certificate .* ERR_TLS_CERT_ALTNAME_INVALID\n.*name that the certificate is for/,
    )
  })

  test('says nothing to one that nobody trusted has signed, and how it is trusted', async () => {
    const { code, stderr, used } = await statusAt('localhost', { sslmode: 'verify-full' })
    expect({ code, used }).toEqual({ code: 3, used: false })
    expect(stderr).toMatch(/Cannot trust the certificate .* DEPTH_ZERO_SELF_SIGNED_CERT\n.*NODE_EXTRA_CA_CERTS/)
    expect(stderr).not.toContain('a defect')
  })
})

test('sslmode=require encrypts, whatever the certificate', async () => {
  expect(await statusAt('127.0.0.1', { sslmode: 'require' })).toMatchObject({ code: 0, used: true })
})

test('sslmode=require tries again at once where a connection is closed before it is encrypted', async () => {
  front.closing = 3
  expect(await statusAt('127.0.0.1', { sslmode: 'require' })).toMatchObject({ code: 0, used: true })
  expect(front.closing).toBe(0)
})

test('sslmode=require says of a server that does not encrypt that it does not', async () => {
  const url = new URL(database.url)
  url.search = '?sslmode=require'
  const { code, stderr } = await home.cli(['status'], { env: { DATABASE_URL: url.href } })
  expect(code).toBe(3)
  expect(stderr).toMatch(/does not encrypt connections, as sslmode in DATABASE_URL asks for\nTurn on ssl/)
})
