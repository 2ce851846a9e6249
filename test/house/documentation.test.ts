import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { limitDescriptions } from '../../scripts/docs/limit-descriptions.ts'
import { generatedPages } from '../../scripts/docs/pages.ts'
import { ExitStatus } from '../../src/cli/exit-codes.ts'
import { describeProgram } from '../../src/cli/program.ts'
import { describeSettings } from '../../src/config.ts'
import { limits } from '../../src/limits.ts'
import { filesBelow, markdownFiles, read } from './sources.ts'

const pages = await generatedPages()

describe('generatedPages()', () => {
  it.each([...pages])('gives %s as it is committed; else run npm run docs', (path, text) => {
    expect(read(path)).toBe(text)
  })
})

describe('describeSettings()', () => {
  it.each(describeSettings())('describes $name, and docs/configuration.md lists it', ({ name, description }) => {
    expect(description.length).toBeGreaterThan(20)
    expect(read('docs/configuration.md')).toContain(`| \`${name}\` |`)
  })
})

describe('limits', () => {
  const sources = filesBelow('src', '.ts')
    .filter((path) => path !== 'limits.ts')
    .map((path) => read(`src/${path}`))

  it.each(Object.keys(limits))('%s bounds something in src', (name) => {
    const use = new RegExp(`\\blimits\\.${name}\\b`, 'u')
    expect(sources.some((source) => use.test(source))).toBe(true)
  })

  it('are all described, and nothing else is', () => {
    expect(Object.keys(limitDescriptions).toSorted()).toEqual(Object.keys(limits).toSorted())
  })
})

describe('docs/dependencies.md', () => {
  const manifest = z
    .object({
      dependencies: z.record(z.string(), z.string()),
      optionalDependencies: z.record(z.string(), z.string()),
      peerDependencies: z.record(z.string(), z.string()),
      devDependencies: z.record(z.string(), z.string()),
    })
    .parse(JSON.parse(read('package.json')))
  const [, atRunTime = '', byHand = '', forDevelopment = '', ofThePlugin = ''] =
    read('docs/dependencies.md').split(/^## /mu)
  const listed = (section: string) => [...section.matchAll(/^\| `([^`]+)` \|/gmu)].map((match) => match.at(1))

  it('lists the dependencies of package.json, and no others', () => {
    const named = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    expect(listed(atRunTime)).toEqual(named.toSorted())
  })

  it('lists what users may install by hand, and no others', () => {
    expect(listed(byHand)).toEqual(Object.keys(manifest.peerDependencies).toSorted())
  })

  it('lists the development dependencies of package.json, and no others', () => {
    expect(listed(forDevelopment)).toEqual(Object.keys(manifest.devDependencies).toSorted())
  })

  it('lists the dependencies of the OpenClaw plugin, and no others', () => {
    const { dependencies } = z
      .object({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('integrations/openclaw/package.json')))
    expect(listed(ofThePlugin)).toEqual(Object.keys(dependencies).toSorted())
    const known = { ...manifest.dependencies, ...manifest.devDependencies }
    for (const [name, version] of Object.entries(dependencies)) expect([name, version]).toEqual([name, known[name]])
  })

  it('can say that versions are exact', () => {
    const versions = Object.values({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.devDependencies,
    })
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/u.test(version))).toEqual([])
  })
})

describe.each(markdownFiles())('%s', (path) => {
  const text = read(path)

  it('names only settings that exist', () => {
    const settings = new Set(describeSettings().map(({ name }) => name))
    const named = [...text.matchAll(/\bVERBATIM_[A-Z_]*[A-Z]\b/gu)].map(([name]) => name)
    expect(named.filter((name) => !settings.has(name))).toEqual([])
  })

  it('names only commands that exist', async () => {
    const commands = new Set((await describeProgram(new ExitStatus())).commands.map((command) => command.name()))
    const fenced = [...text.matchAll(/^```\w*\n([^]*?)^```$/gmu)].map((match) => match.at(1) ?? '')
    const inBlocks = fenced.flatMap((block) => [...block.matchAll(/^(?:\$ )?verbatim ([a-z]+)/gmu)])
    const inLines = [...text.matchAll(/`verbatim ([a-z]+)/gu)]
    const named = [...inBlocks, ...inLines].map((match) => match.at(1) ?? '')
    expect(named.filter((name) => name !== 'help' && !commands.has(name))).toEqual([])
  })
})
