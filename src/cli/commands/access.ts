import { Option, type Command } from 'commander'

import { grantAccess, openAccess, readAccess, revokeAccess, type SessionAccess } from '../../access/session-access.ts'
import { sessionRoles, type SessionRole } from '../../model/access.ts'
import { withStore } from '../context.ts'
import { print, printJson, table } from '../output.ts'

interface Options {
  readonly json?: boolean
}

interface GrantOptions extends Options {
  readonly role: SessionRole
}

async function show({ sessionId, grants }: SessionAccess, { json }: Options): Promise<void> {
  if (json === true)
    return printJson({
      session_id: sessionId,
      open: grants.length === 0,
      grants: grants.map(({ principal, role, grantedAt }) => ({
        principal,
        role,
        granted_at: grantedAt.toISOString(),
      })),
    })
  if (grants.length === 0) return print(`session ${sessionId} is open to everybody of the tenant\n`)
  const rows = grants.map(({ principal, role, grantedAt }) => [principal, role, grantedAt.toISOString().slice(0, 16)])
  return print(`${table(['who', 'role', 'since'], rows)}\n`)
}

export function registerAccess(program: Command): void {
  const access = program
    .command('access')
    .description(
      'who may read and write a session over HTTP; one that nobody was given a role in is open to all tokens',
    )
  access
    .command('list')
    .description('who has which role in a session')
    .argument('<session>', 'its id, ours or the source’s own')
    .option('--json', 'machine-readable output')
    .action(async (session: string, options: Options) => {
      await withStore(program, async ({ verbatim, caller }) =>
        show(await readAccess(verbatim.stores.database, caller, session), options),
      )
    })
  access
    .command('grant')
    .description(
      'give somebody a role; the first one, an owner, closes the session to everybody else but administrators',
    )
    .argument('<session>', 'its id, ours or the source’s own')
    .argument('<principal>', 'who, as "verbatim token list" names them')
    .addOption(
      new Option('--role <role>', 'an auditor sees its head (title, participants, totals), and no message')
        .choices(sessionRoles)
        .default('reader'),
    )
    .option('--json', 'machine-readable output')
    .action(async (session: string, principal: string, options: GrantOptions) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const grant = { session, principal, role: options.role }
        await show(await grantAccess(verbatim.stores.database, caller, grant), options)
      })
    })
  access
    .command('revoke')
    .description('take the role away again, from the next call on')
    .argument('<session>', 'its id, ours or the source’s own')
    .argument('<principal>', 'who')
    .option('--json', 'machine-readable output')
    .action(async (session: string, principal: string, options: Options) => {
      await withStore(program, async ({ verbatim, caller }) =>
        show(await revokeAccess(verbatim.stores.database, caller, { session, principal }), options),
      )
    })
  access
    .command('open')
    .description('take all roles away: the session is open to every token of the tenant again')
    .argument('<session>', 'its id, ours or the source’s own')
    .option('--json', 'machine-readable output')
    .action(async (session: string, options: Options) => {
      await withStore(program, async ({ verbatim, caller }) =>
        show(await openAccess(verbatim.stores.database, caller, session), options),
      )
    })
}
