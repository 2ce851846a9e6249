import { expect, test } from 'vitest'

import { lacksRowSecurityFixes, shownVersion } from '../../src/store/server/server-version.ts'

test.each([
  [150_013, '15.13', true],
  [150_014, '15.14', false],
  [160_009, '16.9', true],
  [160_010, '16.10', false],
  [170_005, '17.5', true],
  [170_006, '17.6', false],
  [180_000, '18.0', false],
])('a server of version %d is %s, and lacks fixes: %s', (version, shown, lacks) => {
  expect(shownVersion(version)).toBe(shown)
  expect(lacksRowSecurityFixes(version)).toBe(lacks)
})
