import { Option, type Command } from 'commander'

import { createToken, endToken, readTokens, type NewToken } from '../../access/access-tokens.ts'
import { listTenants } from '../../access/tenants.ts'
import { InputError } from '../../errors.ts'
import { scopes as allScopes, type Scope } from '../../model/access.ts'
import type { StoredToken } from '../../store/access/access-tokens.ts'
import type { Database } from '../../store/database.ts'
import { withStore } from '../context.ts'
import { print, printJson, table } from '../output.ts'

const expiryDaysMax = 3_650

interface CreateOptions {
  readonly name: string
  readonly scopes?: readonly Scope[]
  readonly expires?: number
  readonly principal?: string
  readonly view?: 'redacted'
  readonly json?: boolean
}

function readScopes(text: string): Scope[] {
  const wanted = text.split(',').map((scope) => scope.trim())
  return wanted.map((name) => {
    const scope = allScopes.find((known) => known === name || known === `memory:${name}`)
    if (scope !== undefined) return scope
    throw new InputError(`Cannot give the scope "${name}" as there is no such scope`, {
      remedy: `Choose from: ${allScopes.join(', ')}`,
    })
  })
}

const usualScopes = ['memory:read', 'memory:write'] as const

/** Who is shown no personal data reads only, unless more is named; reading becomes reading without it. */
function scopesOf({ scopes, view }: CreateOptions): readonly Scope[] {
  if (view === undefined) return scopes ?? usualScopes
  const wanted = scopes ?? ['memory:read']
  return [...new Set(wanted.map((scope): Scope => (scope === 'memory:read' ? 'memory:redacted' : scope)))]
}

function readDays(text: string): number {
  const days = Number(/^(\d+)d?$/.exec(text)?.[1])
  if (days >= 1 && days <= expiryDaysMax) return days
  throw new InputError(`Cannot let a token expire after "${text}"`, {
    remedy: `Write a number of days from 1 to ${expiryDaysMax}, as in 90d`,
  })
}

function stateOf(token: StoredToken): string {
  if (token.revokedAt !== null) return 'revoked'
  return token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now() ? 'expired' : 'in use'
}

/** A token can be made before its tenant is let in again; who makes it must not wonder why it is refused. */
async function warnOfDisabled(database: Database, tenantId: number): Promise<void> {
  const tenants = await listTenants(database)
  const disabled = tenants.find(({ id, disabledAt }) => id === tenantId && disabledAt !== null)
  if (disabled === undefined) return
  process.stderr.write(
    `warning: Its tenant "${disabled.name}" is disabled, so that it is refused until you run: verbatim tenant enable "${disabled.name}"\n`,
  )
}

export function registerToken(program: Command): void {
  const token = program.command('token').description('access tokens for "verbatim serve"')
  token
    .command('create')
    .description('make a token; it is shown once, and only its hash is stored')
    .requiredOption('--name <name>', 'what it is for, as in "laptop"')
    .option(
      '--scopes <scopes>',
      `what it allows, separated by commas: ${allScopes.join(', ')}; default: ${usualScopes.join(' and ')}, with --view reading alone`,
      readScopes,
    )
    .addOption(
      new Option(
        '--view <view>',
        'show its bearer nothing but texts without personal data: as the scope memory:redacted',
      ).choices(['redacted']),
    )
    .option('--expires <days>', 'after how many days it is good for nothing, as in 90d; never by default', readDays)
    .option('--principal <name>', 'who acts with it; default: you')
    .option('--json', 'machine-readable output')
    .action(async (options: CreateOptions) => {
      await withStore(program, async ({ verbatim, caller }) => {
        // Asked first: what fails between the making of a token and its printing loses a token that works.
        await warnOfDisabled(verbatim.stores.database, caller.tenantId)
        const made = await createToken(verbatim.stores.database, caller, {
          name: options.name,
          scopes: scopesOf(options),
          expiresInDays: options.expires,
          principal: options.principal,
        })
        if (options.json === true) return printJson(newTokenJson(made))
        process.stderr.write(
          `It is shown once. It allows ${made.scopes.join(', ')}${made.expiresAt === null ? '' : ` until ${made.expiresAt}`}.\n`,
        )
        return print(`${made.token}\n`)
      })
    })
  token
    .command('list')
    .description('the tokens, without what they are proved by')
    .option('--json', 'machine-readable output')
    .action(async (options: { json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const tokens = await readTokens(verbatim.stores.database, caller)
        if (options.json === true) return printJson(tokens.map(toJson))
        const rows = tokens.map((one) => [
          one.id,
          one.name,
          one.principal,
          stateOf(one),
          one.scopes.map((scope) => scope.replace('memory:', '')).join(','),
          one.lastUsedAt?.slice(0, 16) ?? 'never',
        ])
        return print(`${table(['id', 'name', 'who', 'state', 'scopes', 'last used'], rows)}\n`)
      })
    })
  token
    .command('revoke')
    .description('make a token good for nothing; servers notice within 5 seconds')
    .argument('<token>', 'its id or its name')
    .option('--json', 'machine-readable output')
    .action(async (reference: string, options: { json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const revoked = await endToken(verbatim.stores.database, caller, reference)
        if (options.json === true) return printJson({ id: revoked.id, name: revoked.name, revoked: true })
        return print(`revoked ${revoked.name} (${revoked.id})\n`)
      })
    })
}

function newTokenJson({ id, token, name, scopes, expiresAt }: NewToken) {
  return { id, token, name, scopes, expires_at: expiresAt }
}

function toJson(token: StoredToken) {
  return {
    id: token.id,
    name: token.name,
    principal: token.principal,
    scopes: token.scopes,
    state: stateOf(token),
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
    revoked_at: token.revokedAt,
  }
}
