import { describe, expect, it } from 'vitest'

import { secrets } from '../../src/privacy/secrets/secrets.ts'

const found = (text: string) => secrets(text).map(({ start, end }) => text.slice(start, end))
/** Put together here, so that no scanner takes this file for a leak. */
const token = (prefix: string, body: string) => `${prefix}${body}`

describe('secrets()', () => {
  it.each([
    ['a GitHub token', token('ghp_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8')],
    ['an AWS key', token('AKIA', 'Y3FDM5BLQZX72WKT')],
    ['a Slack token', token('xoxb-', '2048174639-8164720395-kQ7wZr2LpX9vTn4B')],
    ['a Stripe key', token('sk_live_', '4eC39HqLyjWDarjtT1zdp7dc')],
    ['a token of JSON', token('eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N')],
  ])('finds %s by its form', (_, secret) => {
    expect(found(`here: ${secret} is it`)).toContain(secret)
  })

  it.each([
    ['DATADOG_API_KEY=9f3c1a7be2d84f60a5c9e7d1b3f8a2c64e5d7f90', '9f3c1a7be2d84f60a5c9e7d1b3f8a2c64e5d7f90'],
    ['{"client_secret": "hT7-kq2Zp0xWv9Lm3Rb8"}', 'hT7-kq2Zp0xWv9Lm3Rb8'],
    ["password = 'c0rrect-h0rse-9'", 'c0rrect-h0rse-9'],
    ['postgres://app:s3cr3t-Pw@db.local/app', 's3cr3t-Pw'],
    ['curl -H "Authorization: Bearer q8Zt4Lw1Xc7Vb2Nm" https://x', 'q8Zt4Lw1Xc7Vb2Nm'],
    ["curl -u 'anna:k9-Xw2p' https://x", "'anna:k9-Xw2p'"],
  ])('finds it in %s', (text, secret) => {
    expect(found(text)).toContain(secret)
  })

  it('takes a private key whole', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(6)}-----END PRIVATE KEY-----`
    expect(found(`a\n${key}\nb`)).toContain(key)
  })

  it.each([
    'const token = process.env.GITHUB_TOKEN',
    'apiKey: settings.apiKey, key: row.primaryKey',
    'password = "your-password-here" and token: <YOUR_TOKEN>',
    'Authorization: Bearer $TOKEN',
    'postgres://user:password@localhost/db',
    'max_tokens: 1234567890, cache_key="session_2024_start"',
    'commit 9f3c1a7be2d84f60a5c9e7d1b3f8a2c64e5d7f90',
    '"sessionId": "0191c1d0-6f3e-7b5a-9d2c-1f4e5a6b7c8d"',
    token('AKIA', 'IOSFODNN7EXAMPLE'),
  ])('takes nothing from %s', (text) => {
    expect(found(text)).toEqual([])
  })
})
