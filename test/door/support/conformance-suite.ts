import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { z } from 'zod'

const suite = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
)
const oldestMajor = 22
/** What the suite is run with where the tests run on an older Node.js. */
const newerNode = '22.23.3'

/** A program of Node.js that can run the suite, or why there is none. */
export type FoundNode =
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'none'; readonly reason: string }

/**
 * The suite needs Node.js 22. Where the tests run on an older one, npm has it as a package for each platform that holds
 * just the program: it is fetched once, without a script.
 */
export function findNode(): FoundNode {
  if (Number(process.versions.node.split('.')[0]) >= oldestMajor) return { kind: 'program', path: process.execPath }
  const isWindows = process.platform === 'win32'
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`
  const directory = fileURLToPath(new URL(`../../../node_modules/.cache/node-${newerNode}`, import.meta.url))
  const path = join(directory, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node')
  if (existsSync(path)) return { kind: 'program', path }
  mkdirSync(directory, { recursive: true })
  const npm = ['install', '--prefix', directory, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  const fetched = spawnSync('npm', [...npm, `${name}@${newerNode}`], { encoding: 'utf8', shell: isWindows })
  if (fetched.status === 0 && existsSync(path)) return { kind: 'program', path }
  return { kind: 'none', reason: `the suite needs Node.js ${oldestMajor}, and npm has not fetched ${name}` }
}

const checksSchema = z.array(
  z.object({
    id: z.string(),
    status: z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO']),
    errorMessage: z.string().optional(),
  }),
)

/** What the suite says of one scenario, each check by its name. */
export interface ScenarioResult {
  readonly passed: readonly string[]
  /** Failures and warnings. */
  readonly failed: readonly string[]
  /** Why each failed. */
  readonly reasons: readonly string[]
}

/** Runs every scenario that the suite has for a revision of the protocol against a server, and gives them by name. */
export async function runSuite(
  node: string,
  target: { readonly url: string; readonly revision: string },
): Promise<ReadonlyMap<string, ScenarioResult>> {
  const output = mkdtempSync(join(tmpdir(), 'verbatim-conformance-'))
  try {
    const scenarios = ['--suite', 'all', '--spec-version', target.revision]
    const child = spawn(node, [suite, 'server', '--url', target.url, ...scenarios, '-o', output], {
      cwd: output,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await once(child, 'close')
    const results = readResults(output)
    // It ends with 1 where a check failed, which is for the caller to judge.
    if (results.size === 0) throw new Error(`The suite ended with ${child.exitCode} and no results: ${said}`)
    return results
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

/** One directory a scenario: server-NAME-TIME. */
function readResults(output: string): Map<string, ScenarioResult> {
  const results = new Map<string, ScenarioResult>()
  for (const directory of readdirSync(output)) {
    const [, name] = /^server-(.+?)-\d{4}-\d\d-\d\dT/.exec(directory) ?? []
    if (name === undefined) continue
    const checks = checksSchema.parse(JSON.parse(readFileSync(join(output, directory, 'checks.json'), 'utf8')))
    const withStatus = (...wanted: readonly string[]) => checks.filter(({ status }) => wanted.includes(status))
    const failed = withStatus('FAILURE', 'WARNING')
    results.set(name, {
      passed: withStatus('SUCCESS').map(({ id }) => id),
      failed: [...new Set(failed.map(({ id }) => id))],
      reasons: failed.map(({ id, errorMessage }) => `${name}: ${id}: ${errorMessage ?? 'no reason given'}`),
    })
  }
  return results
}
