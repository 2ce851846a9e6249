import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { joined } from '../../scripts/build-options.ts'
import { distPath } from '../support/built.ts'

test('the build carries the licence of each package that is joined with it', () => {
  const licences = readFileSync(distPath('LICENCES.txt'), 'utf8')
  const named = [...licences.matchAll(/^(\S+) [\d.]+ \([\w.-]+\)$/gmu)].map((match) => match.at(1))
  expect(named).toEqual(expect.arrayContaining([...joined]))
  expect(licences.match(/permission/giu)?.length).toBeGreaterThan(joined.size)
})
