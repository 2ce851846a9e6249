import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, onTestFinished } from 'vitest'

import { findOpenclaw, openclawVersions } from '../support/gateway.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

const entry = `
import { definePluginEntry, type OpenClawPluginApi } from 'openclaw/plugin-sdk/plugin-entry'
import plugin from '${join(root, 'integrations/openclaw/src/plugin.ts')}'
declare const api: OpenClawPluginApi
plugin.register(api)
export default definePluginEntry(plugin)
`

/** What the compiler says of a module, with the types that an OpenClaw publishes. */
function compile(modules: string, source: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'verbatim-openclaw-types-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const compilerOptions = {
    noEmit: true,
    declaration: false,
    sourceMap: false,
    rootDir: '/',
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    typeRoots: [join(root, 'node_modules/@types')],
    paths: { 'openclaw/plugin-sdk/*': [join(modules, 'openclaw/dist/plugin-sdk/*.d.ts')] },
  }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files: ['entry.mts'] }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(directory, 'entry.mts'), source)
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  return spawnSync(process.execPath, [compiler, '-p', directory], { encoding: 'utf8' }).stdout
}

describe.each(openclawVersions)('the published types of OpenClaw %s', (version) => {
  const openclaw = findOpenclaw(version)

  it.skipIf(openclaw === undefined)('take the plugin, and would not take a hook that is not there', () => {
    const modules = openclaw?.modules ?? ''
    expect(compile(modules, entry)).toBe('')
    expect(compile(modules, `${entry}\napi.on('agent_ends', () => undefined)`)).toContain('"agent_ends"')
  })
})
