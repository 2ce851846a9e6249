import { readFile } from 'node:fs/promises'

import { parse as parseToml } from 'smol-toml'
import { describe, expect, it } from 'vitest'

import { allTools } from '../../src/mcp/tool-list.ts'
import { clients } from '../../src/setup/clients.ts'

const root = new URL('../../', import.meta.url)
const server = {
  command: '/usr/local/bin/node',
  args: ['/usr/local/lib/node_modules/verbatim-mcp/dist/cli/main.js'],
}
const withVariable = { ...server, env: { VERBATIM_HOME: '/srv/verbatim' } }
const tools = allTools.map(({ name }) => name)

async function read(name: string): Promise<string> {
  return await readFile(new URL(name, root), 'utf8')
}

/** The fenced blocks of a section of a Markdown text, without `text` blocks. */
function blocksOf(section: string): readonly string[] {
  return [...section.matchAll(/^```(?!text)\w+\n([^]*?)\n```$/gm)].map((match) => match.at(1) ?? '')
}

describe('docs/clients.md', () => {
  it.each(clients)('shows for $label exactly what the code prints, and no other block', async (client) => {
    const sections = (await read('docs/clients.md')).split(/^## /m)
    const section = sections.find((text) => text.startsWith(`${client.label}\n`)) ?? ''
    const blocks = blocksOf(section)
    const command = client.ownCommand?.(server, 'linux')
    const wanted = command === undefined ? [client.snippet(server)] : [client.snippet(server), command]
    expect(blocks).toEqual(expect.arrayContaining(wanted))
    const known = new Set([client.snippet(server), client.snippet(withVariable), command])
    expect(blocks.filter((block) => !known.has(block))).toEqual([])
  })

  it('names every client and has no block outside their sections', async () => {
    const text = await read('docs/clients.md')
    for (const client of clients) expect(text).toContain(`\`${client.name}\``)
    const labels = new Set(clients.map((client) => client.label))
    const others = text.split(/^## /m).filter((section) => !labels.has(section.split('\n')[0] ?? ''))
    expect(others.flatMap(blocksOf)).toEqual([])
  })
})

describe('docs/http.md', () => {
  it('shows an entry for each client that takes a server on the network, which its parser reads', async () => {
    const [, section = ''] = (await read('docs/http.md')).split(/^## (?:Clients|Tokens of .*)$/m)
    for (const { label } of clients) expect(section).toContain(`**${label}**`)
    const json = [...section.matchAll(/^```json\n([^]*?)\n```$/gm)].map((match) => JSON.parse(match.at(1) ?? ''))
    const toml = [...section.matchAll(/^```toml\n([^]*?)\n```$/gm)].map((match) => parseToml(match.at(1) ?? ''))
    const texts = [...json, ...toml].map((entry) => JSON.stringify(entry))
    expect(texts).toHaveLength(clients.length - 1)
    for (const text of texts) expect(text).toMatch(/http:\/\/127\.0\.0\.1:8377\/mcp.*(?:Bearer|bearer_token_env_var)/)
  })
})

describe('SKILL.md', () => {
  it('has the front matter that OpenClaw and Claude Code read, short enough to be shown whole', async () => {
    const match = /^---\nname: (.*)\ndescription: (.*)\n---\n/.exec(await read('SKILL.md'))
    expect(match?.[1]).toBe('verbatim')
    expect(match?.[2]?.length).toBeLessThanOrEqual(160)
    expect(match?.[2]).not.toContain(': ')
  })

  it('stays under 120 lines and names each tool as each host shows it, and no other', async () => {
    const text = await read('SKILL.md')
    expect(text.split('\n').length).toBeLessThan(120)
    const named = [...text.matchAll(/`(?:mcp__)?verbatim__(\w+)`/g)].map((match) => match[1] ?? '')
    expect([...new Set(named)].toSorted((a, b) => a.localeCompare(b))).toEqual(
      tools.toSorted((a, b) => a.localeCompare(b)),
    )
    for (const tool of tools) expect(text).toMatch(new RegExp(`\`verbatim__${tool}\` \\| \`mcp__verbatim__${tool}\``))
  })
})

describe('docs/agents-md.md', () => {
  it('names only tools that exist', async () => {
    const named = [...(await read('docs/agents-md.md')).matchAll(/`(?:mcp__)?verbatim__(\w+)`/g)].map(
      (match) => match.at(1) ?? '',
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((tool) => !tools.includes(tool))).toEqual([])
  })
})
