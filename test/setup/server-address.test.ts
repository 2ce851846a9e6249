import { describe, expect, it } from 'vitest'

import { parseAddress, shownAddress } from '../../src/model/server-address.ts'

describe('parseAddress()', () => {
  it('reads several hosts, and what is percent-encoded', () => {
    const url =
      'postgresql://ada%40example:p%3Aw%2Fd@db1:6432,[::1],db3/ve%20r?sslmode=verify-full&target_session_attrs=primary'
    expect(parseAddress(url)).toEqual({
      hosts: [
        { host: 'db1', port: 6432 },
        { host: '::1', port: 5432 },
        { host: 'db3', port: 5432 },
      ],
      user: 'ada@example',
      password: 'p:w/d',
      database: 've r',
      encryption: 'checked',
      wanted: 'primary',
    })
    expect(shownAddress(url)).toBe('postgres://ada@example@db1:6432,[::1]:5432,db3:5432/ve r')
  })

  it('passes over parameters of libpq that mean nothing here', () => {
    expect(parseAddress('postgres://localhost/db?channel_binding=require&sslmode=require')).toMatchObject({
      encryption: 'unchecked',
      user: undefined,
    })
  })

  it.each([
    'postgres://localhost',
    'postgres:///db',
    'mysql://localhost/db',
    'postgres://localhost/db?sslmode=maybe',
    'postgres://localhost/db?target_session_attrs=standby',
  ])('refuses %s', (url) => {
    expect(() => parseAddress(url)).toThrow(/DATABASE_URL must be like/)
  })
})
