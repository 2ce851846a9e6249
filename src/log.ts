import { createRequire } from 'node:module'

import type * as Pino from 'pino'

import type { Config } from './config.ts'
import { describeForLog } from './errors.ts'

/** What a line says besides its message: names and numbers, never content. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Where the program tells its operator what happens: stderr, never stdout, which belongs to the protocol. Nothing that
 * was stored, and no secret, is ever logged: an error of our own is logged by its message, any other by its kind, its code
 * and where it was thrown, as its message may quote what is stored.
 */
export interface Log {
  error(message: string, cause?: unknown): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  /** The same log, whose every line has these fields. */
  with(fields: LogFields): Log
}

/** What a log writes to. */
export interface LogStream {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

type Level = Exclude<Config['logLevel'], 'silent'>

const order: readonly Config['logLevel'][] = ['silent', 'error', 'warn', 'info', 'debug']

/** Lines for a person at a terminal, JSON for a machine that collects them. */
export function createLog(level: Config['logLevel'], stream: LogStream = process.stderr): Log {
  let logger: Pino.Logger | undefined
  return new PinoLog(level, () => (logger ??= openLogger(level, stream)), {})
}

/** Loads pino with the first line that is written: most processes on stdio write none. */
class PinoLog implements Log {
  readonly #level: Config['logLevel']
  readonly #open: () => Pino.Logger
  readonly #fields: LogFields

  constructor(level: Config['logLevel'], open: () => Pino.Logger, fields: LogFields) {
    this.#level = level
    this.#open = open
    this.#fields = fields
  }

  error(message: string, cause?: unknown): void {
    this.#write('error', message, cause === undefined ? {} : { detail: describeForLog(cause) })
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#write('warn', message, fields)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#write('info', message, fields)
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#write('debug', message, fields)
  }

  with(fields: LogFields): Log {
    return new PinoLog(this.#level, this.#open, { ...this.#fields, ...fields })
  }

  #write(level: Level, message: string, fields: LogFields): void {
    if (order.indexOf(level) > order.indexOf(this.#level)) return
    this.#open()[level]({ ...this.#fields, ...fields }, message)
  }
}

function openLogger(level: Config['logLevel'], stream: LogStream): Pino.Logger {
  // At once and not by `import()`: a process that fails writes its line before it ends.
  const { pino }: typeof Pino = createRequire(import.meta.url)('pino')
  const write = (line: string) => stream.write(stream.isTTY === true ? forTerminal(line) : line)
  const options = {
    level,
    messageKey: 'message',
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return pino(options, { write })
}

/** A line of JSON as a person reads it. */
function forTerminal(line: string): string {
  const { level, message, detail, time: _time, pid: _pid, ...fields }: Record<string, string> = JSON.parse(line)
  const said = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`)
  return `verbatim ${level}: ${message}${said.join('')}${detail === undefined ? '' : `\n  ${detail}`}\n`
}
