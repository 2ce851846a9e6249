import type { Command } from 'commander'

import { requireSession } from '../../capture/session-reference.ts'
import { rotateRootKey } from '../../keys/rotate-root-key.ts'
import { rotateSessionKey } from '../../keys/rotate-session-key.ts'
import { rotateTenantKey } from '../../keys/rotate-tenant-key.ts'
import { createLog } from '../../log.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { countKeys } from '../../store/keys/encryption-keys.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'
import { registerConversions } from './keys-convert.ts'

interface Options {
  readonly json?: boolean
}

export function registerKeys(program: Command, status: ExitStatus): void {
  const keys = program
    .command('keys')
    .description('encrypt a store or decrypt it, and change its keys, all while it is used')
  registerConversions(program, keys, status)
  keys
    .command('rotate-root')
    .description('put the whole store under a new root key; the old one is of no use after that')
    .option('--json', 'machine-readable output')
    .action(async ({ json }: Options) => {
      await withStore(program, async ({ verbatim }) => {
        const done = await rotateRootKey(verbatim.stores)
        if (json === true) return printJson(done)
        await print(`the store is under the root key ${done.to}, of ${done.source}; ${done.from} opens it no more\n`)
        return print(
          done.changeSettings
            ? `Now name it as VERBATIM_ROOT_KEY, _FILE or _COMMAND for every process, and unset VERBATIM_NEXT_ROOT_KEY and the like\n`
            : `Keep a copy of ${done.source} elsewhere, in place of the one that you have\n`,
        )
      })
    })
  keys
    .command('rotate-tenant')
    .description('give the tenant a new key, wrap the keys of all sessions by it, and destroy the old one')
    .option('--json', 'machine-readable output')
    .action(async ({ json }: Options) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const { database } = verbatim.stores
        const total = await database.run((sql) => countKeys(sql, caller.tenantId))
        const progress = await startProgress('wrapping keys', total)
        const done = await rotateTenantKey(verbatim.stores, caller.tenantId, (count) => progress.add(count))
        progress.stop()
        if (done.broken.length > 0) status.code = exitCodes.problems
        if (json === true) return printJson(done)
        for (const id of done.broken)
          await print(`PROBLEM key ${id} was altered and stays as it is: run verbatim verify\n`)
        return print(`wrapped ${counted(done.keys, 'key')} by version ${done.version} of the tenant's key\n`)
      })
    })
  keys
    .command('rotate-session')
    .description('give a session a new key, seal all of it anew, in the archive too, and destroy the old one')
    .argument('<session>')
    .option('--json', 'machine-readable output')
    .action(async (reference: string, { json }: Options) => {
      await withStore(program, async ({ verbatim, caller, config }) => {
        const session = await requireSession(verbatim.stores.database, caller, reference)
        const key = { tenantId: caller.tenantId, sessionId: session.id }
        const done = await rotateSessionKey({ ...verbatim.stores, log: createLog(config.logLevel) }, key)
        const unreadable = done.unreadable_reasons
        if (unreadable > 0) status.code = exitCodes.problems
        if (json === true) return printJson({ session_id: session.id, ...done })
        if (unreadable > 0)
          await print(
            `PROBLEM ${counted(unreadable, 'reason')} cannot be opened and ${agreed(unreadable, 'stays as it is', 'stay as they are')}, with the old key: verbatim audit verify names the rows\n`,
          )
        return print(
          `sealed ${counted(done.messages, 'message')} of ${session.id} by version ${done.version} of its key\n`,
        )
      })
    })
}
