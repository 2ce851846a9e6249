import { describe, expect, it } from 'vitest'

import { announcedTool, tokensOf } from '../../scripts/docs/tools-page.ts'
import { inCommands } from '../../src/cli/in-commands.ts'
import { allTools } from '../../src/mcp/tool-list.ts'
import { filesBelow, read } from './sources.ts'

/** DESIGN: the definitions are paid for in every session of every client. */
const definitionTokensMax = 2_000
const descriptionCharactersMax = 1_200

describe('allTools', () => {
  it('has each name once', () => {
    expect(new Set(allTools.map(({ name }) => name)).size).toBe(allTools.length)
  })

  it(`costs at most ${definitionTokensMax} tokens, all definitions together`, () => {
    const tokens = tokensOf(allTools.map(announcedTool))
    expect(tokens).toBeGreaterThan(500)
    expect(tokens).toBeLessThanOrEqual(definitionTokensMax)
  })

  describe.each(allTools.map((tool) => [tool.name, tool] as const))('%s', (name, tool) => {
    it('has a title, and a description of a length that hosts show', () => {
      expect(tool.title.length).toBeGreaterThan(0)
      expect(tool.description.length).toBeGreaterThan(40)
      expect(tool.description.length).toBeLessThan(descriptionCharactersMax)
    })

    it('sets all four annotations', () => {
      expect(tool.annotations).toEqual({
        readOnlyHint: expect.any(Boolean),
        destructiveHint: expect.any(Boolean),
        idempotentHint: expect.any(Boolean),
        openWorldHint: expect.any(Boolean),
      })
    })

    it('announces a schema that every client takes: an object without alternatives or references at its root', () => {
      expect(tool.inputSchema.type).toBe('object')
      expect(Object.keys(tool.inputSchema)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(?:oneOf|anyOf|allOf|\$ref|\$defs)$/u)]),
      )
    })

    it('has a section in docs/tools.md that names each of its arguments', () => {
      const section = read('docs/tools.md')
        .split(/^## /mu)
        .find((text) => text.startsWith(`${name}\n`))
      expect(section).toBeDefined()
      const { properties } = tool.inputSchema
      for (const argument of Object.keys(properties ?? {})) expect(section).toContain(`| \`${argument}\` |`)
    })
  })
})

describe('what to do about an error', () => {
  it('names no tool where the command line says it', () => {
    // What a save is refused with: the command line has no save.
    const elsewhere = /^(?:mcp|http)\/|^capture\/save\.ts$/
    const remedies = filesBelow('src', '.ts')
      .filter((path) => !elsewhere.test(path))
      .flatMap((path) => [...read(`src/${path}`).matchAll(/\bremedy:\s+(['`])(?<text>(?:(?!\1).)*)\1/gs)])
      .map(({ groups }) => groups?.['text'] ?? '')
    expect(remedies.length).toBeGreaterThan(100)
    const names = allTools.map(({ name }) => name).filter((name) => name.includes('_'))
    const tools = new RegExp(`\\b(?:${names.join('|')})\\b`)
    expect(remedies.filter((text) => tools.test(text)).length).toBeGreaterThan(5)
    expect(remedies.map(inCommands).filter((text) => tools.test(text))).toEqual([])
  })
})
