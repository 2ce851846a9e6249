import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { markdownFiles, read, root } from './sources.ts'

/** Markdown without code, in which brackets mean something else. */
function prose(path: string): string {
  return read(path)
    .replaceAll(/^```[^]*?^```$/gmu, '')
    .replaceAll(/`[^`\n]*`/gu, 'code')
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gmu)].map((match) =>
    (match.at(1) ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

function linksOf(path: string): string[] {
  return [...prose(path).matchAll(/\]\(([^)\s]+)\)/gu)].map((match) => match.at(1) ?? '')
}

describe.each(markdownFiles())('%s', (path) => {
  it('links only to files and headings of this repository, or to https', () => {
    const broken = linksOf(path).filter((link) => {
      if (link.startsWith('https://')) return false
      const [file = '', ...anchors] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      if (!existsSync(join(root, target))) return true
      return anchors.some((anchor) => !anchorsOf(target).includes(anchor))
    })
    expect(broken).toEqual([])
  })
})

describe('linksOf()', () => {
  it('finds links, so that the check above can fail', () => {
    expect(linksOf('docs/architecture.md')).toContain('search.md')
  })
})
