import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { describe, expect, it } from 'vitest'

import { InputError } from '../../src/errors.ts'
import { entryFields } from '../../src/setup/entry.ts'
import { editToml, tomlEntry } from '../../src/setup/toml-entry.ts'

const server = { command: '/usr/bin/node', args: ['/opt/verbatim/main.js'] }
const table = '[mcp_servers.verbatim]\ncommand = "/usr/bin/node"\nargs = ["/opt/verbatim/main.js"]\n'

function edit(before: string | undefined, env: Record<string, string> = {}): string {
  return editToml(before, 'mcp_servers', entryFields({ ...server, env }))
}

describe('editToml()', () => {
  it('appends the table and leaves the text before it as it is', () => {
    const before =
      '# mine\nmodel = "x" # why\n\n[mcp_servers.a]\ncommand = "b"\nwhen = 1979-05-27T07:32:00Z\nbig = 9007199254740993\n'
    expect(edit(before)).toBe(`${before}\n${table}`)
    expect(edit('model = 1')).toBe(`model = 1\n\n${table}`)
    expect(edit(undefined)).toBe(table)
  })

  it('writes Windows paths and line ends', () => {
    const after = editToml(
      'a = 1\r\n',
      'mcp_servers',
      entryFields({ command: String.raw`C:\node\node.exe`, args: [String.raw`C:\new\main.js`] }),
    )
    expect(after.startsWith('a = 1\r\n\r\n[mcp_servers.verbatim]\r\n')).toBe(true)
    expect(tomlEntry(after, 'mcp_servers')).toEqual({
      command: String.raw`C:\node\node.exe`,
      args: [String.raw`C:\new\main.js`],
    })
  })

  it('changes only command and arguments of an older table', () => {
    const before = [
      'text = """',
      '[mcp_servers.verbatim]',
      'command = "decoy"',
      '"""',
      '[ mcp_servers . "verbatim" ] # ours',
      'startup_timeout_sec = 20',
      'command = "npx"   # old',
      'args = [ # many',
      '  "-y", # ]',
      '  "verbatim-mcp",',
      ']  # end',
      'enabled = false',
      '[mcp_servers.verbatim.env]',
      'DATABASE_URL = "postgres://x"',
      '[other]',
      'command = "stay"',
    ].join('\n')
    expect(edit(before)).toBe(
      before.replace('"npx"', '"/usr/bin/node"').replace(/\[ # many[^]*\](?= {2}# end)/, '["/opt/verbatim/main.js"]'),
    )
  })

  it('adds a missing key at the end of the table', () => {
    expect(edit('[mcp_servers.verbatim]\ncommand = "npx" # c\n[b]\n')).toBe(
      '[mcp_servers.verbatim]\ncommand = "/usr/bin/node" # c\nargs = ["/opt/verbatim/main.js"]\n[b]\n',
    )
  })

  it.each([
    ['its own table', `${table}[mcp_servers.verbatim.env]\nA = "1"\n`],
    ['dotted keys', `${table}env.A = "1"\n`],
    ['an inline table', `${table}env = { A = "1" } # mine\n`],
  ])('adds a variable to an environment written as %s', (_name, before) => {
    const after = edit(before, { B: '2' })
    expect(tomlEntry(after, 'mcp_servers')).toEqual({ ...server, env: { A: '1', B: '2' } })
    expect(edit(after, { B: '2' })).toBe(after)
  })

  it('adds an environment where there was none', () => {
    const after = edit(table, { B: '2', 'odd key': 'x' })
    expect(after).toBe(`${table}env = { B = "2", "odd key" = "x" }\n`)
  })

  it.each([
    ['text that is no TOML', 'a = = 1', /must be TOML: line 1, column/],
    ['servers in an inline table', 'mcp_servers = { a = { command = "x" } }', /must be written with \[headers\]/],
    ['our entry by dotted keys', '[mcp_servers]\nverbatim.command = "npx"', /must be written with \[headers\]/],
    ['servers that are no table', 'mcp_servers = 1', /"mcp_servers" must be a table/],
    ['an entry with an address', '[mcp_servers.verbatim]\nurl = "http://x"', /must name a command: it has "url"/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => edit(text)).toThrow(InputError)
    expect(() => edit(text)).toThrow(message)
  })

  it('law: the old text is a prefix of the new, which reads as before with our table, and a second edit changes nothing', () => {
    const key = fc.string({ minLength: 1, maxLength: 6 }).filter((text) => text !== '__proto__' && text !== 'verbatim')
    const scalar = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.boolean(),
      fc.integer(),
      fc.array(fc.string({ maxLength: 4 })),
    )
    const servers = fc.dictionary(key, fc.dictionary(key, scalar, { minKeys: 1, maxKeys: 3 }), { maxKeys: 3 })
    fc.assert(
      fc.property(fc.dictionary(key, scalar, { maxKeys: 4 }), servers, (rest, listed) => {
        const before = stringify({ ...rest, mcp_servers: listed })
        const after = edit(before)
        expect(after.startsWith(before)).toBe(true)
        expect(parse(after)).toEqual({ ...parse(before), mcp_servers: { ...listed, verbatim: server } })
        expect(edit(after)).toBe(after)
        const moved = editToml(after, 'mcp_servers', entryFields({ command: 'other', args: [] }))
        expect(moved.startsWith(before)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
