import type { KeyObject } from 'node:crypto'

import type { Command } from 'commander'

import { acceptKey } from '../../audit/accept-key.ts'
import type { AuditProblem } from '../../audit/audit-problems.ts'
import { closeRecord } from '../../audit/close-record.ts'
import type { OtherKey } from '../../audit/head-signers.ts'
import { publicKeyOf, signingKeyOf } from '../../audit/signed-head.ts'
import { verifyAudit, type AuditReport } from '../../audit/verify-audit.ts'
import { HeadCheck, type HeadReport } from '../../audit/verify-heads.ts'
import { InputError } from '../../errors.ts'
import { agreed, counted, onlyCounted } from '../../model/text/counted.ts'
import { commandName } from '../command-name.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'

interface Options {
  readonly json?: boolean
}

export function registerAuditVerify(program: Command, audit: Command, status: ExitStatus): void {
  audit
    .command('verify')
    .description('prove that no row of the record was edited, deleted, inserted or swapped since it was sealed')
    .option('--json', 'machine-readable output')
    .action(async ({ json }: Options) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const { archive, auditSecret } = verbatim.stores
        const signing = await signingKey(auditSecret)
        const key = signing === undefined ? undefined : publicKeyOf(signing)
        const heads = await HeadCheck.begin({ archive, tenantId: caller.tenantId, key })
        const chain = await verifyAudit(verbatim.stores.database, caller, (seal) => heads.see(seal))
        const report = { ...chain, heads: { ...(await heads.report()), has_known_key: key !== undefined } }
        if (problemsOf(report) > 0) status.code = exitCodes.problems
        return json === true ? printJson(report) : tell(report)
      })
    })
}

interface CloseOptions {
  readonly reason?: string
}

export function registerAuditClose(program: Command, audit: Command): void {
  audit
    .command('close')
    .description(
      'say of a record whose signed heads are in the archive, and which is not in the database any more, that this is known: after a restore, say',
    )
    .argument('<record>', 'its 32 digits, as "audit verify" names it')
    .option('--reason <text>', 'kept beside the record that there is now')
    .action(async (record: string, { reason }: CloseOptions) => {
      if (reason === undefined || reason.trim() === '')
        throw new InputError('Cannot close a record without a reason', {
          remedy: 'Give --reason: the audit log notes it',
        })
      await withStore(program, async ({ verbatim, caller }) => {
        const { archive, auditSecret, database } = verbatim.stores
        const key = await requireKey(auditSecret, 'close a record')
        const { closed_at: at } = await closeRecord({ database, archive, key }, caller, { record, reason })
        await print(`the record ${record} is closed since ${at}\n`)
      })
    })
}

export function registerAuditAcceptKey(program: Command, audit: Command): void {
  audit
    .command('accept-key')
    .description(
      'say of another key that signed heads of the record were signed with, and which "audit verify" names, that this is known: as the key was replaced, say',
    )
    .argument('<key>', 'its 32 digits, as "audit verify" names it')
    .option('--reason <text>', 'kept beside the record')
    .action(async (fingerprint: string, { reason }: CloseOptions) => {
      if (reason === undefined || reason.trim() === '')
        throw new InputError('Cannot accept a key without a reason', {
          remedy: 'Give --reason: the audit log notes it',
        })
      await withStore(program, async ({ verbatim, caller }) => {
        const { archive, auditSecret, database } = verbatim.stores
        const key = await requireKey(auditSecret, 'accept a key')
        const accepted = await acceptKey({ database, archive, key }, caller, { fingerprint, reason })
        const { seal, accepted_at: at } = accepted
        await print(`the key ${fingerprint} is accepted in heads of ${sealsTo(seal)} since ${at}\n`)
      })
    })
}

async function requireKey(auditSecret: Parameters<typeof signingKey>[0], what: string): Promise<KeyObject> {
  const key = await signingKey(auditSecret)
  if (key !== undefined) return key
  throw new InputError(`Cannot ${what} as the key that signs the heads of this store is not at hand`, {
    remedy: 'Name its file as VERBATIM_AUDIT_KEY_FILE',
  })
}

async function signingKey(auditSecret: (() => Promise<Uint8Array | undefined>) | undefined) {
  const secret = await auditSecret?.()
  return secret === undefined ? undefined : signingKeyOf(secret)
}

type Report = AuditReport & { readonly heads: HeadReport & { readonly has_known_key: boolean } }

function problemsOf({ problem_count: count, heads }: Report): number {
  return count + heads.problems.length + heads.gone.length + heads.other_keys.length
}

async function tell(report: Report): Promise<void> {
  const { heads } = report
  for (const problem of [...report.problems, ...heads.problems])
    await print(`PROBLEM ${placeOf(problem)}${problem.problem}\n`)
  const untold = report.problem_count - report.problems.length
  if (untold > 0) await print(`PROBLEM ${onlyCounted(untold)}\n`)
  for (const { record, sealed_at: at, earlier_key: earlier } of heads.gone)
    await print(
      `PROBLEM the record ${record}, sealed last at ${at} and signed with ${earlier === undefined ? 'the key' : `an earlier key, ${earlier},`} of this store, is not in the database: it was made anew. ` +
        `Where you know that the database is another, as it was restored, say so: ${commandName()} audit close ${record} --reason <text>\n`,
    )
  for (const { key, head, ...signed } of heads.other_keys)
    await print(
      `PROBLEM seal ${signed.first_seal} has the head ${head}${andFurther(signed)}, signed with another key, ${key}. ` +
        `Where you know it, as the key of this store was replaced, say so: ${commandName()} audit accept-key ${key} --reason <text>\n`,
    )
  for (const { key, accepted_at: at, ...signed } of heads.earlier_keys)
    await print(
      `NOTE ${counted(signed.heads, 'signed head')} up to seal ${signed.last_seal} ${agreed(signed.heads, 'is', 'are')} signed with an earlier key, ${key}, accepted at ${at}\n`,
    )
  for (const { sealed_at: at, closed_at: closedAt } of heads.others)
    await print(
      closedAt === undefined
        ? `NOTE the archive has signed heads of another record of this tenant, sealed last at ${at}\n`
        : `NOTE the archive has signed heads of an earlier record of this tenant, sealed last at ${at} and closed at ${closedAt}\n`,
    )
  if ((heads.newest !== undefined || heads.others.length > 0) && !heads.has_known_key)
    await print(
      'NOTE who signed the heads is not looked at, and may be whoever can write to the archive: have all who use the store sign with one key, and name its file as VERBATIM_AUDIT_KEY_FILE\n',
    )
  if (report.lost > 0)
    await print(
      `NOTE ${counted(report.lost, 'row')} could not be written and ${agreed(report.lost, 'is', 'are')} lost, and the record does not say so yet: the next row that it takes adds one with the action audit.lost\n`,
    )
  const count = problemsOf(report)
  await print(
    `${counted(report.rows, 'row')} in ${counted(report.seals, 'seal')}: ${count === 0 ? 'all as they were sealed' : counted(count, 'problem')}\n`,
  )
  await print(
    heads.newest === undefined
      ? 'no signed head in the archive bears them out yet\n'
      : `${counted(heads.heads, 'signed head')} in the archive ${agreed(heads.heads, 'bears', 'bear')} out ${sealsTo(heads.newest.seal)}, the newest of ${heads.newest.at}${heads.has_known_key ? '' : ', whoever signed them'}\n`,
  )
  if (report.waiting > 0)
    await print(`${counted(report.waiting, 'row')} ${agreed(report.waiting, 'waits', 'wait')} to be sealed\n`)
}

function andFurther({ heads, last_seal: last }: Pick<OtherKey, 'heads' | 'last_seal'>): string {
  return heads === 1 ? '' : `, and ${heads - 1} further up to seal ${last}`
}

function sealsTo(newest: number): string {
  return newest === 1 ? 'seal 1' : `seals 1 to ${newest}`
}

function placeOf({ row, of, seal }: AuditProblem): string {
  if (of !== undefined) return `${of} `
  if (row !== undefined) return `row ${row}${seal === undefined ? '' : ` of seal ${seal}`} `
  return seal === undefined ? '' : `seal ${seal} `
}
