import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { startBackground } from '../../../background/background.ts'
import { describeDefect } from '../../../errors.ts'
import { shippedMigrations } from '../compiled.ts'
import { homePathsOf } from '../home.ts'
import { DaemonLog } from './daemon-log.ts'
import { runDaemon } from './daemon.ts'

/**
 * `node daemon-main.js <home> --version <semver> [--idle-ms N] [--migrations folder]`: the process that owns a store.
 * It exits 0 when it has served or when another daemon is there already, 1 when the store cannot be opened.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: 'string', default: '0.0.0' },
    'idle-ms': { type: 'string' },
    'idle-in-transaction-ms': { type: 'string' },
    'answer-ms': { type: 'string' },
    migrations: { type: 'string', default: shippedMigrations() },
  },
})

const [home] = positionals
if (home === undefined) throw new Error('Cannot start the daemon as the home must be given as the first argument')

const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop.abort())

process.on('uncaughtException', (error) => {
  new DaemonLog(homePathsOf(home).log).write(`defect: ${describeDefect(error)}`)
  process.exit(1)
})

const milliseconds = (name: string, value: string | undefined): Record<string, number> =>
  value === undefined ? {} : { [name]: Number(value) }

try {
  await runDaemon({
    home: resolve(home),
    version: values.version,
    migrationsFolder: values.migrations,
    ...milliseconds('idleMs', values['idle-ms']),
    ...milliseconds('idleInTransactionMs', values['idle-in-transaction-ms']),
    ...milliseconds('answerMs', values['answer-ms']),
    startBackground: (connection) =>
      startBackground({
        store: { kind: 'embedded', connection },
        home: homePathsOf(home).home,
        archive: homePathsOf(home).archive,
        works: true,
      }),
    signal: stop.signal,
  })
  process.exit(0)
} catch {
  // The reason is in log/daemon.json, where the client that started this process reads it; nobody reads stderr.
  process.exit(1)
}
