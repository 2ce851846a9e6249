import type { Config } from './config.ts'
import { messageOf } from './errors.ts'

/**
 * Where the program tells its operator what happens: stderr, never stdout, which belongs to the protocol. Nothing that
 * was stored, and no secret, is ever logged; an error is logged by its message and stack.
 */
export interface Log {
  error(message: string, cause?: unknown): void
  warn(message: string): void
  info(message: string): void
  debug(message: string): void
}

const order = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** Lines for a person at a terminal, JSON for a machine that collects them. */
export function createLog(level: Config['logLevel'], stream: NodeJS.WriteStream = process.stderr): Log {
  const write = (lineLevel: Config['logLevel'], message: string, cause?: unknown): void => {
    if (order.indexOf(lineLevel) > order.indexOf(level)) return
    const detail =
      cause === undefined ? undefined : cause instanceof Error ? (cause.stack ?? cause.message) : messageOf(cause)
    const line = stream.isTTY
      ? `verbatim ${lineLevel}: ${message}${detail === undefined ? '' : `\n${detail}`}`
      : JSON.stringify({
          time: new Date().toISOString(),
          level: lineLevel,
          message,
          ...(detail === undefined ? {} : { detail }),
        })
    stream.write(`${line}\n`)
  }
  return {
    error: (message, cause) => write('error', message, cause),
    warn: (message) => write('warn', message),
    info: (message) => write('info', message),
    debug: (message) => write('debug', message),
  }
}
