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
const portMax = 65_535
const encryptions: Readonly<Record<string, ServerAddress['encryption']>> = {
  disable: 'off',
  allow: 'where possible',
  prefer: 'where possible',
  require: 'unchecked',
  'verify-ca': 'checked',
  'verify-full': 'checked',
}

/** Parameters that say where the database is, which the address itself says here: to pass them over would lead elsewhere. */
const misplaced = ['host', 'hostaddr', 'port', 'user', 'password', 'dbname']
const wantedHosts = ['any', 'read-write', 'primary']

/**
 * Reads `postgres://user:password@host:port,host:port/database?sslmode=…&target_session_attrs=…`. Other parameters of libpq are
 * passed over, but for those that say where the database is. Throws InputError for anything else, without a word of the
 * address: it holds a password.
 */
export function parseAddress(url: string): ServerAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?]*)\/([^/?]+)(?:\?(.*))?$/.exec(url)
  if (match === null) throw unusable()
  const [, user, password, hosts = '', database = '', query = ''] = match
  const parameters = new URLSearchParams(query)
  const elsewhere = misplaced.find((name) => parameters.has(name))
  if (elsewhere !== undefined)
    throw unusable(
      `"${elsewhere}" has its place before the question mark. Sockets of this machine are not spoken, so a host and a port are needed`,
    )
  if (hosts === '') throw unusable('it names no host')
  const encryption = encryptions[parameters.get('sslmode') ?? 'disable']
  if (encryption === undefined) throw unusable(`sslmode is one of ${Object.keys(encryptions).join(', ')}`)
  const wanted = parameters.get('target_session_attrs') ?? 'any'
  if (!wantedHosts.includes(wanted)) throw unusable(`target_session_attrs is one of ${wantedHosts.join(', ')}`)
  return {
    hosts: hosts.split(',').map(hostOf),
    user: user === undefined || user === '' ? undefined : decoded(user),
    password: password === undefined ? undefined : decoded(password),
    database: decoded(database),
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
  const [whole, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:%]*))(?::(\d+))?$/.exec(text) ?? []
  // Not taken for this machine and the usual port: that may be the server of somebody else.
  if (whole === undefined)
    throw unusable(
      'a host is a name or an address, then a colon and its port, and an IPv6 address stands in [brackets]',
    )
  const number = Number(port ?? defaultPort)
  if (number < 1 || number > portMax) throw unusable(`a port is a number from 1 to ${portMax}`)
  const host = bracketed ?? plain
  return { host: host === undefined || host === '' ? 'localhost' : host, port: number }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw unusable('what follows a % are two hexadecimal digits, and a % itself is written as %25', error)
  }
}

function unusable(why?: string, cause?: unknown): InputError {
  const shape = 'Cannot start as DATABASE_URL must be like postgres://user:password@host:5432/database'
  return new InputError(why === undefined ? shape : `${shape}: ${why}`, {
    remedy:
      'In the user, the password and the name of the database characters such as @ : / ? # and % are written percent-encoded: %40 for @. Where it is meant for another program, set it to nothing for Verbatim: then the store is the embedded one in the home',
    ...(cause === undefined ? {} : { cause }),
  })
}
