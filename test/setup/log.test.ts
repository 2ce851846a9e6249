import { describe, expect, it } from 'vitest'

import { InputError, UnavailableError } from '../../src/errors.ts'
import { createLog, type Log } from '../../src/log.ts'

function collect(
  level: Parameters<typeof createLog>[0],
  isTTY: boolean,
): { readonly log: Log; readonly text: () => string } {
  let text = ''
  const log = createLog(level, { isTTY, write: (chunk) => (text += chunk) })
  return { log, text: () => text }
}

describe('createLog()', () => {
  it('writes a line of JSON with the fields of the log and of the line', () => {
    const { log, text } = collect('info', false)
    log.with({ request_id: 'r1' }).info('tool call', { tool: 'save_message', ms: 1.5, absent: undefined })
    expect(text().endsWith('}\n')).toBe(true)
    const { time, pid, ...line } = JSON.parse(text())
    expect(line).toEqual({ level: 'info', message: 'tool call', request_id: 'r1', tool: 'save_message', ms: 1.5 })
    expect(Date.parse(time)).toBeGreaterThan(0)
    expect(pid).toBe(process.pid)
  })

  it('writes for a person at a terminal', () => {
    const { log, text } = collect('debug', true)
    log.debug('request', { route: '/mcp', status: 200 })
    log.error('it broke', new InputError('Cannot do this'))
    expect(text()).toBe('verbatim debug: request route=/mcp status=200\nverbatim error: it broke\n  Cannot do this\n')
  })

  it.each([
    ['silent', []],
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ] as const)('at level %s writes %j', (level, written) => {
    const { log, text } = collect(level, false)
    log.error('a')
    log.warn('a')
    log.info('a')
    log.debug('a')
    const lines = text().split('\n').slice(0, -1)
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(written)
  })

  it('tells of an error of another kind what it is and where, and not its message', () => {
    const { log, text } = collect('error', false)
    const cause = Object.assign(new Error('Key (text)=(my secret) already exists'), { code: '23505' })
    log.error('it broke', new UnavailableError('Cannot reach the database', { cause }))
    log.error('it broke', 'my secret')
    expect(text()).not.toContain('my secret')
    const [first, second] = text().split('\n')
    expect(JSON.parse(first ?? '').detail).toMatch(
      /^Cannot reach the database \(caused by Error 23505 at .*log\.test\.ts/,
    )
    expect(JSON.parse(second ?? '').detail).toBe('thrown string')
  })
})
