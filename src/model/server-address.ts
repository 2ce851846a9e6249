import { InputError } from '../errors.ts'

/** Where a database is, as an address of libpq says it. */
export interface ServerAddress {
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string
  /** Whether the connection is encrypted, and whether the server's certificate is checked. */
  readonly encryption: 'off' | 'where possible' | 'unchecked' | 'checked'
  /** Which of several hosts is wanted: libpq's `target_session_attrs`. */
  readonly wanted: 'read-write' | 'primary' | undefined
}

const defaultPort = 5432
const encryptions: Readonly<Record<string, ServerAddress['encryption']>> = {
  disable: 'off',
  allow: 'where possible',
  prefer: 'where possible',
  require: 'unchecked',
  'verify-ca': 'checked',
  'verify-full': 'checked',
}

/**
 * Reads `postgres://user:password@host:port,host:port/database?sslmode=…&target_session_attrs=…`. Other parameters of libpq are
 * passed over. Throws InputError for anything else.
 */
export function parseAddress(url: string): ServerAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]+)\/([^/?]+)(?:\?(.*))?$/.exec(url)
  const [, user, password, hosts = '', database = '', query = ''] = match ?? []
  const parameters = new URLSearchParams(query)
  const mode = parameters.get('sslmode') ?? 'disable'
  const encryption = encryptions[mode]
  const wanted = parameters.get('target_session_attrs') ?? 'any'
  if (match === null || encryption === undefined || !['any', 'read-write', 'primary'].includes(wanted))
    throw new InputError('Cannot start as DATABASE_URL must be like postgres://user:password@host:5432/database', {
      remedy:
        'Where it is meant for another program, set it to nothing for Verbatim: then the store is the embedded one in the home',
    })
  return {
    hosts: hosts.split(',').map(hostOf),
    user: user === undefined || user === '' ? undefined : decodeURIComponent(user),
    password: password === undefined ? undefined : decodeURIComponent(password),
    database: decodeURIComponent(database),
    encryption,
    wanted: wanted === 'read-write' || wanted === 'primary' ? wanted : undefined,
  }
}

/** An address as it may be shown: without the password and without parameters. */
export function shownAddress(url: string): string {
  const { hosts, user, database } = parseAddress(url)
  const places = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  return `postgres://${user === undefined ? '' : `${user}@`}${places.join(',')}/${database}`
}

function hostOf(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  return { host: host === undefined || host === '' ? 'localhost' : host, port: Number(port ?? defaultPort) }
}
