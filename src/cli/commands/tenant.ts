import type { Command } from 'commander'

import { createTenant, listTenants, setDisabled } from '../../access/tenants.ts'
import type { Tenant } from '../../store/tenants.ts'
import { withDatabase } from '../context.ts'
import { print, printJson, table } from '../output.ts'

interface Options {
  readonly json?: boolean
}

const stateOf = ({ disabledAt }: Tenant) => (disabledAt === null ? 'in use' : 'disabled')

function toJson(tenant: Tenant) {
  return { id: tenant.id, name: tenant.name, state: stateOf(tenant), created_at: tenant.createdAt }
}

export function registerTenant(program: Command): void {
  const tenant = program.command('tenant').description('tenants of a server: memories that cannot see each other')
  tenant
    .command('create')
    .description('make a tenant; VERBATIM_TENANT=<name> then makes its tokens and reads its memory')
    .argument('<name>')
    .option('--json', 'machine-readable output')
    .action(async (name: string, { json }: Options) => {
      await withDatabase(program, async (database) => {
        const made = await createTenant(database, name)
        return json === true ? printJson(toJson(made)) : print(`made tenant ${made.name} (${made.id})\n`)
      })
    })
  tenant
    .command('list')
    .description('the tenants')
    .option('--json', 'machine-readable output')
    .action(async ({ json }: Options) => {
      await withDatabase(program, async (database) => {
        const tenants = await listTenants(database)
        if (json === true) return printJson(tenants.map(toJson))
        const rows = tenants.map((one) => [String(one.id), one.name, stateOf(one), one.createdAt.slice(0, 10)])
        return print(`${table(['id', 'name', 'state', 'since'], rows)}\n`)
      })
    })
  for (const { command, isDisabled, description } of [
    { command: 'disable', isDisabled: true, description: 'refuse its tokens from now on; what it holds stays' },
    { command: 'enable', isDisabled: false, description: 'let its tokens in again' },
  ])
    tenant
      .command(command)
      .description(description)
      .argument('<name>')
      .option('--json', 'machine-readable output')
      .action(async (name: string, { json }: Options) => {
        await withDatabase(program, async (database) => {
          await setDisabled(database, name, isDisabled)
          return json === true ? printJson({ name, state: `${command}d` }) : print(`${command}d tenant ${name}\n`)
        })
      })
}
