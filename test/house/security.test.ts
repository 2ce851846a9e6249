import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { read, root } from './sources.ts'

interface Row {
  readonly threat: string
  readonly shownBy: string
}

/** The rows of the table of threats. */
function rowsOf(page: string): Row[] {
  const [, table = ''] = page.split('\n## Threats\n')
  return table.split('\n').flatMap((line) => {
    if (!line.startsWith('| ')) return []
    const cells = line.split(' | ')
    const [threat = '', shownBy = ''] = [cells[0]?.slice(2), cells.at(-1)?.replace(/ \|$/u, '')]
    return cells.length !== 4 || threat === 'threat' || threat === '---' ? [] : [{ threat, shownBy }]
  })
}

interface NamedTest {
  readonly file: string
  readonly title: string
}

/** The tests that a cell names: files, each with its titles after it. */
function testsOf(cell: string): NamedTest[] {
  return [...cell.matchAll(/`(test\/[^`]+)`: ([^`]*)/gu)].flatMap(([, file = '', titles = '']) => {
    const named = [...titles.matchAll(/“([^”]+)”/gu)].map(([, title = '']) => ({ file, title }))
    return named.length === 0 ? [{ file, title: '' }] : named
  })
}

function hasTest({ file, title }: NamedTest): boolean {
  if (title === '' || !file.endsWith('.test.ts') || !existsSync(join(root, file))) return false
  const text = title.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`)
  // A title is the first thing in the brackets of a call, also after those of `each` and `skipIf`.
  return new RegExp(`\\(\\s*(['"\`])${text}\\1,`, 'u').test(read(file))
}

const rows = rowsOf(read('docs/security.md'))

describe('docs/security.md', () => {
  it('has a row for each threat that the product is made against', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30)
    expect(new Set(rows.map(({ threat }) => threat)).size).toBe(rows.length)
  })

  it.each(rows)('names a test of: $threat', ({ shownBy }) => {
    expect(testsOf(shownBy).length).toBeGreaterThan(0)
    expect(testsOf(shownBy).filter((test) => !hasTest(test))).toEqual([])
  })
})

describe('hasTest()', () => {
  const file = 'test/house/security.test.ts'

  it('finds what is there, so that the check above can fail', () => {
    expect(hasTest({ file, title: 'finds what is there, so that the check above can fail' })).toBe(true)
    expect(hasTest({ file, title: 'finds what is there' })).toBe(false)
    expect(hasTest({ file: 'test/house/nowhere.test.ts', title: 'finds' })).toBe(false)
    expect(testsOf('`test/a.test.ts`: “one”, “two”; `test/b.test.ts`: untested')).toEqual([
      { file: 'test/a.test.ts', title: 'one' },
      { file: 'test/a.test.ts', title: 'two' },
      { file: 'test/b.test.ts', title: '' },
    ])
  })
})
