import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { BuildOptions, Plugin } from 'rolldown'
import { z } from 'zod'

import { loaded } from '../src/updated.ts'

const root = new URL('../', import.meta.url)

/** What is started by its path: the program, the process that owns a store, threads, and the last step of the build. */
const entries = [
  'adapters/embedders/model-thread',
  'background/background-thread',
  'background/embedding-thread',
  'cli/main',
  'store/embedded/engine/build-image',
  'store/embedded/daemon/daemon-main',
  'store/embedded/engine/engine-thread',
]

/**
 * What nearly every process loads, and is made of many files: joined with our own code, a process starts in half the time. All
 * else is loaded from where it is installed, when it is first used: it is large, or finds files of its own beside it.
 */
export const joined: ReadonlySet<string> = new Set([
  '@hono/node-server',
  '@modelcontextprotocol/sdk',
  '@modelcontextprotocol/server',
  'cockatiel',
  'commander',
  'fzstd',
  'hono',
  'jose',
  'jsonc-parser',
  'libphonenumber-js',
  'lru-cache',
  'postgres',
  'smol-toml',
  'uuid',
  'zod',
])

const packages = z.record(z.string(), z.string())
const manifest = z
  .object({ dependencies: packages, optionalDependencies: packages, peerDependencies: packages })
  .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')))
const installed = Object.keys({
  ...manifest.dependencies,
  ...manifest.optionalDependencies,
  ...manifest.peerDependencies,
})
const apart = installed.filter((name) => !joined.has(name))

/** Licences ask that their text goes with every copy. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
      const directories = new Set(
        modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(id.replaceAll('\\', '/')) ?? []),
      )
      const texts = [...directories].toSorted().map((directory) => licenceOf(directory))
      this.emitFile({ type: 'asset', fileName: 'LICENCES.txt', source: texts.join(`\n${'-'.repeat(80)}\n\n`) })
    },
  }
}

const importOfOurs = /\bimport\(('\.[^']+')\)/gu

/** Makes each `import()` of a file of ours, but for those with which the program begins, say so where the file is gone: see `updated.ts`. */
function importsThatTell(): Plugin {
  const src = sourceOf('').slice(0, -'.ts'.length)
  const [helper, begins] = [sourceOf('updated'), sourceOf('cli/main')]
  return {
    name: 'imports-that-tell',
    transform(code, id) {
      if (!id.startsWith(src) || id === begins) return undefined
      const told = code.replaceAll(importOfOurs, `${loaded.name}(import($1))`)
      if (told === code) return undefined
      return { code: `import { ${loaded.name} } from ${JSON.stringify(helper)};${told}`, map: null }
    },
  }
}

function licenceOf(directory: string): string {
  const { name, version, license } = z
    .object({ name: z.string(), version: z.string(), license: z.string() })
    .parse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')))
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/iu.test(entry))
  const title = `${name} ${version} (${license})\n`
  if (file !== undefined) return `${title}\n${readFileSync(join(directory, file), 'utf8')}`
  // It gives a work to everyone without a condition.
  if (license === 'Unlicense') return title
  throw new Error(`Cannot ship ${name} as no licence is in "${directory}"`)
}

/**
 * What so many entries and parts that are loaded later have in common is one file. Of 150 small files, which a command loads otherwise, each
 * is looked for and compiled by itself: that is a fifth of the time in which it starts. With fewer in common the file has what few need.
 */
const commonOf = 8

/** With all that it imports: what the process that owns a store loads, and each other process too. The thread of its engine needs no more. */
const core = /\/src\/store\/embedded\/daemon\.ts$/u

/** A module of `src` by its path there, without its ending. */
export function sourceOf(name: string): string {
  return fileURLToPath(new URL(`src/${name}.ts`, root))
}

/** How `dist` is made of `src`. */
export const buildOptions = {
  input: Object.fromEntries(entries.map((entry) => [entry, sourceOf(entry)])),
  logLevel: 'warn',
  platform: 'node',
  transform: { target: 'es2023' },
  resolve: { mainFields: ['module', 'main'] },
  external: (id) => apart.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [licences(), importsThatTell()],
  output: {
    dir: fileURLToPath(new URL('dist', root)),
    cleanDir: true,
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: {
      groups: [
        { name: 'core', test: core, priority: 1 },
        { name: 'common', minShareCount: commonOf },
      ],
    },
  },
} satisfies BuildOptions
