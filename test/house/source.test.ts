import { describe, expect, it } from 'vitest'

import { filesBelow, read } from './sources.ts'

const linesMax = 250
const files = filesBelow('src', '.ts')
const plugin = 'integrations/openclaw/src'

/** Comments that switch a rule off, and promises to do it later. */
const forbidden = /@ts-(?:ignore|expect-error|nocheck)|(?:oxlint|eslint)-disable|\bTODO\b|\bFIXME\b/u

describe('src', () => {
  it(`has no file of more than ${linesMax} lines`, () => {
    const lines = files.map((path) => [path, read(`src/${path}`).trimEnd().split('\n').length] as const)
    expect(lines.length).toBeGreaterThan(100)
    expect(lines.filter(([, count]) => count > linesMax)).toEqual([])
  })

  it('switches no rule off and postpones nothing', () => {
    expect(files.filter((path) => forbidden.test(read(`src/${path}`)))).toEqual([])
  })

  it('has file names in kebab-case and no file that only re-exports', () => {
    expect(files.filter((path) => !/^(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.d)?\.ts$/u.test(path))).toEqual([])
    expect(files.filter((path) => /(?:^|\/)index\.ts$/u.test(path))).toEqual([])
    expect(files.filter((path) => /^export \* from/mu.test(read(`src/${path}`)))).toEqual([])
  })

  it('reads the environment in config.ts only', () => {
    const readers = files.filter((path) => /\bprocess\.env\b/u.test(read(`src/${path}`)))
    expect(readers).toEqual(['config.ts'])
  })
})

describe('the OpenClaw plugin', () => {
  const sources = filesBelow(plugin, '.ts').map((path) => [path, read(`${plugin}/${path}`)] as const)

  it(`has no file of more than ${linesMax} lines, switches no rule off and postpones nothing`, () => {
    expect(sources.length).toBeGreaterThan(10)
    expect(sources.filter(([, text]) => text.trimEnd().split('\n').length > linesMax)).toEqual([])
    expect(sources.filter(([, text]) => forbidden.test(text))).toEqual([])
  })

  it('imports nothing of Verbatim, which is a process of its own to it', () => {
    expect(sources.filter(([, text]) => /from '(?:\.\.\/)+src\//u.test(text))).toEqual([])
  })
})
