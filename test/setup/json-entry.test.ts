import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { InputError } from '../../src/errors.ts'
import { entryFields } from '../../src/setup/entry.ts'
import { editJson, jsonEntry } from '../../src/setup/json-entry.ts'
import { isSubsequence } from './is-subsequence.ts'

const server = { command: '/usr/bin/node', args: ['/opt/verbatim/main.js'] }
const fields = entryFields(server)
const container = ['mcp', 'servers']

function edit(before: string | undefined, at: readonly string[] = container): string {
  return editJson(before, at, fields)
}

describe('editJson()', () => {
  it('puts the entry behind the comma and the comment of the last property', () => {
    const before =
      '{\n  // mine\n  "servers": {\n    "a": { "command": "x" }, // first\n    "b": {"command":"y"} /* last */ // really\n  },\n}\n'
    expect(edit(before, ['servers'])).toBe(
      '{\n  // mine\n  "servers": {\n    "a": { "command": "x" }, // first\n    "b": {"command":"y"}, /* last */ // really\n' +
        '    "verbatim": {\n      "command": "/usr/bin/node",\n      "args": [\n        "/opt/verbatim/main.js"\n      ]\n    }\n  },\n}\n',
    )
  })

  it('keeps a trailing comma and adds none of its own', () => {
    expect(edit('{\n\t"servers": {\n\t\t"a": 1, // one\n\t},\n}', ['servers'])).toBe(
      '{\n\t"servers": {\n\t\t"a": 1, // one\n\t\t"verbatim": {\n\t\t\t"command": "/usr/bin/node",\n\t\t\t"args": [\n\t\t\t\t"/opt/verbatim/main.js"\n\t\t\t]\n\t\t}\n\t},\n}',
    )
  })

  it('stays on one line in a file of one line', () => {
    expect(edit('{"theme":"dark"}', ['servers'])).toBe(
      '{"theme":"dark", "servers": {"verbatim":{"command":"/usr/bin/node","args":["/opt/verbatim/main.js"]}}}',
    )
    expect(jsonEntry(edit('{"servers":{"a":1,},}', ['servers']), ['servers'])).toEqual(server)
  })

  it('keeps comments in an otherwise empty object and in a file without any value', () => {
    const inside = edit('{\n  // nothing yet\n}\n', ['servers'])
    expect(inside).toContain('\n  // nothing yet\n}\n')
    expect(jsonEntry(inside, ['servers'])).toEqual(server)
    const alone = edit('// nothing yet\n', ['servers'])
    expect(alone.startsWith('// nothing yet\n{\n')).toBe(true)
    expect(jsonEntry(alone, ['servers'])).toEqual(server)
  })

  it('keeps a byte order mark and Windows line ends', () => {
    const after = edit('\uFEFF{\r\n  "a": 1\r\n}\r\n')
    expect(after.startsWith('\uFEFF{\r\n  "a": 1,\r\n  "mcp": {\r\n')).toBe(true)
    expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })

  it('changes only command and arguments of an older entry, and leaves what the user added', () => {
    const before =
      '{"mcp": {"servers": {\n  "verbatim": {\n    // by path\n    "args": ["/old.js"],\n    "command": "npx", "enabled": false,\n    "env": { "DATABASE_URL": "postgres://x", "N": 1 } // mine\n  }\n}}}'
    expect(edit(before)).toBe(before.replace('/old.js', '/opt/verbatim/main.js').replace('"npx"', '"/usr/bin/node"'))
  })

  it('adds a variable to the environment of an older entry and keeps the others', () => {
    const before = edit('{}').replace('"command"', '"env": { "N": 1 },\n      "command"')
    const after = editJson(before, container, entryFields({ ...server, env: { VERBATIM_HOME: '/data' } }))
    expect(jsonEntry(after, container)).toEqual({ ...server, env: { N: 1, VERBATIM_HOME: '/data' } })
  })

  it.each([
    ['unquoted keys of JSON5', '{ mcp: { servers: {} } }', /must be JSON.*line 1, column 3/],
    ['single quotes of JSON5', "{ 'mcp': 1 }", /must be JSON/],
    ['a cut file', '{\n  "mcp": {\n', /must be JSON.*line 3/],
    ['an array at the top', '[]', /the top level must be an object: current type is array/],
    ['a list of servers', '{"mcp":{"servers":[]}}', /"mcp.servers" must be an object: current type is array/],
    ['a key that stands twice', '{"mcp":{},"mcp":{}}', /"mcp" must stand once: it stands 2 times/],
    [
      'an entry with an address',
      '{"mcp":{"servers":{"verbatim":{"url":"http://x"}}}}',
      /must name a command: it has "url"/,
    ],
    [
      'a key that sets a prototype',
      '{"other":{"__proto__":{}}}',
      /safely as the edited file would not read as expected/,
    ],
    ['an entry that is no object', '{"mcp":{"servers":{"verbatim":null}}}', /must be a table of settings/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => edit(text)).toThrow(InputError)
    expect(() => edit(text)).toThrow(message)
  })

  it('law: only characters are added, the document reads as before with our entry, and a second edit changes nothing', () => {
    const key = fc.string({ maxLength: 8 }).filter((text) => text !== '__proto__' && text !== 'mcp')
    const value = fc.jsonValue({ maxDepth: 3 }).filter((json) => !JSON.stringify(json).includes('"__proto__"'))
    const servers = fc.option(fc.dictionary(key, value, { maxKeys: 3 }), { nil: undefined })
    const layout = fc.record({
      indent: fc.constantFrom<string | number>(0, 2, 4, '\t'),
      eol: fc.constantFrom('\n', '\r\n'),
      end: fc.constantFrom('', '\n', ' // end\n'),
    })
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 3 }), servers, layout, (rest, listed, { indent, eol, end }) => {
        const document = listed === undefined ? rest : { ...rest, mcp: { servers: listed } }
        const before = JSON.stringify(document, null, indent).replaceAll('\n', eol) + end
        const after = edit(before)
        expect(jsonEntry(after, container)).toEqual(server)
        expect(isSubsequence(before, after)).toBe(true)
        expect(edit(after)).toBe(after)
      }),
      { numRuns: 300 },
    )
  })
})
