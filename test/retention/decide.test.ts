import { array, assert, boolean, constantFrom, integer, option, property, record, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  clockProblem,
  decideRetention,
  limitsFor,
  retentionScopes,
  type RetainedMessage,
  type RetainedSession,
  type RetentionLimits,
  type RetentionPolicy,
} from '../../src/retention/decide.ts'

const dayMs = 86_400_000
const runs = 100_000
const names = ['a', 'b', 'c']

const limit = (max: number) => option(integer({ min: 1, max }), { nil: undefined })
const policies = array(
  record({
    id: constantFrom(...names),
    scope: constantFrom(...retentionScopes),
    target: constantFrom(...names),
    ageDaysMax: limit(60),
    idleDaysMax: limit(60),
    messagesMax: limit(12),
    bytesMax: limit(500),
  }),
  { maxLength: 5 },
)
const sessions = record({
  id: constantFrom(...names),
  source: constantFrom(...names),
  tags: array(constantFrom(...names), { maxLength: 2 }),
  lastActiveAtMs: integer({ min: 0, max: 100 }).map((days) => days * dayMs),
  legalHold: boolean(),
})
const messages = array(
  tuple(integer({ min: 0, max: 100 }), integer({ min: 0, max: 100 }), integer({ min: 1, max: 3 })),
  {
    maxLength: 15,
  },
).map((made) => {
  let seq = 0
  return made.map(([days, bytes, gap]): RetainedMessage => ({ seq: (seq += gap), atMs: days * dayMs, bytes }))
})
/** A clock that goes on, stands still, jumps and goes back. */
const clock = tuple(integer({ min: -50, max: 4_000 }), integer({ min: -50, max: 4_000 })).map((days) =>
  days.map((day) => day * dayMs),
)

/** What is left after a sweep, as the store would leave it. */
function swept(
  limits: RetentionLimits,
  session: RetainedSession,
  kept: { readonly messages: readonly RetainedMessage[]; readonly nowMs: number },
): readonly RetainedMessage[] {
  const verdict = decideRetention(limits, session, kept)
  if (verdict.verdict !== 'erase') return kept.messages
  if (verdict.stretches.length === 0) return []
  return kept.messages.filter(({ seq }) => !verdict.stretches.some(([first, last]) => seq >= first && seq <= last))
}

/** Said a second time, in other words than the code: what a policy does not want any more. */
function isExpired(
  { ageDaysMax, idleDaysMax, messagesMax, bytesMax }: RetentionLimits,
  session: RetainedSession,
  { left, at, nowMs }: { readonly left: readonly RetainedMessage[]; readonly at: number; readonly nowMs: number },
): boolean {
  const message = left[at]
  if (message === undefined) return false
  const newerBytes = left.slice(at).reduce((sum, { bytes }) => sum + bytes, 0)
  return (
    (idleDaysMax !== undefined && nowMs > session.lastActiveAtMs + idleDaysMax * dayMs) ||
    (ageDaysMax !== undefined && nowMs > message.atMs + ageDaysMax * dayMs) ||
    (messagesMax !== undefined && left.length - at > messagesMax) ||
    (bytesMax !== undefined && newerBytes > bytesMax)
  )
}

describe('decideRetention()', () => {
  it(`erases nothing that is held, leaves nothing that has expired after two sweeps, and takes nothing else, in ${runs} cases`, () => {
    let erased = 0
    let held = 0
    assert(
      property(tuple(policies, sessions), messages, clock, ([all, session], before, [firstMs = 0, secondMs = 0]) => {
        const limits = limitsFor(all, session)
        if (limits === undefined) return true
        const first = swept(limits, session, { messages: before, nowMs: firstMs })
        const left = swept(limits, session, { messages: first, nowMs: secondMs })
        erased += before.length - left.length
        if (session.legalHold) held += 1
        if (session.legalHold) return left.length === before.length
        const gone = before.filter((message) => !first.includes(message))
        return (
          !left.some((_, at) => isExpired(limits, session, { left, at, nowMs: secondMs })) &&
          gone.every((message) =>
            isExpired(limits, session, { left: before, at: before.indexOf(message), nowMs: firstMs }),
          )
        )
      }),
      { numRuns: runs },
    )
    expect(erased).toBeGreaterThan(runs)
    expect(held).toBeGreaterThan(runs / 10)
  })
})

describe('limitsFor()', () => {
  const policy = (scope: RetentionPolicy['scope'], target: string | null, idleDaysMax: number): RetentionPolicy => ({
    id: `${scope} ${target}`,
    scope,
    target,
    idleDaysMax,
  })
  const all = [
    policy('tenant', null, 1),
    policy('source', 'mcp', 2),
    policy('tag', 'x', 9),
    policy('tag', 'y', 4),
    policy('session', 's', 5),
  ]
  it.each([
    [{ id: 's', source: 'mcp', tags: ['x'] }, 5],
    [{ id: 'other', source: 'mcp', tags: ['x', 'y'] }, 4],
    [{ id: 'other', source: 'mcp', tags: ['x'] }, 9],
    [{ id: 'other', source: 'mcp', tags: [] }, 2],
    [{ id: 'other', source: 'codex', tags: [] }, 1],
  ])('takes the narrowest for %j', (session, days) => {
    expect(limitsFor(all, session)?.idleDaysMax).toBe(days)
  })

  it('does not take from a wider scope what the narrowest leaves open', () => {
    const narrow = { id: 'n', scope: 'source', target: 'mcp', messagesMax: 3 } as const
    expect(limitsFor([policy('tenant', null, 1), narrow], { id: 's', source: 'mcp', tags: [] })).toMatchObject({
      idleDaysMax: undefined,
      messagesMax: 3,
    })
  })
})

describe('clockProblem()', () => {
  it.each([
    [0, /fine/],
    [6.9, /fine/],
    [7.1, /7 days ahead of the last sweep/],
    [3_650, /3650 days ahead/],
    [-0.9, /fine/],
    [-2, /2 days behind/],
  ])('says of a clock that has moved by %s days: %s', (days, problem) => {
    const said = clockProblem(1_000 * dayMs, (1_000 + days) * dayMs)
    expect(said ?? 'fine').toMatch(problem)
  })
})
