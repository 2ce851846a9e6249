import type { Command } from 'commander'

import type { AuditProblem } from '../../audit/audit-problems.ts'
import { publicKeyOf, signingKeyOf } from '../../audit/signed-head.ts'
import { verifyAudit, type AuditReport } from '../../audit/verify-audit.ts'
import { HeadCheck, type HeadReport } from '../../audit/verify-heads.ts'
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
        const secret = await auditSecret?.()
        const key = secret === undefined ? undefined : publicKeyOf(signingKeyOf(secret))
        const heads = await HeadCheck.begin({ archive, tenantId: caller.tenantId, key })
        const chain = await verifyAudit(verbatim.stores.database, caller, (seal) => heads.see(seal))
        const report = { ...chain, heads: { ...(await heads.report()), has_known_key: key !== undefined } }
        if (problemsOf(report) > 0) status.code = exitCodes.problems
        return json === true ? printJson(report) : tell(report)
      })
    })
}

type Report = AuditReport & { readonly heads: HeadReport & { readonly has_known_key: boolean } }

function problemsOf({ problem_count: count, heads }: Report): number {
  return count + heads.problems.length
}

async function tell(report: Report): Promise<void> {
  const { heads } = report
  for (const problem of [...report.problems, ...heads.problems])
    await print(`PROBLEM ${placeOf(problem)}${problem.problem}\n`)
  const untold = report.problem_count - report.problems.length
  if (untold > 0) await print(`PROBLEM ${untold} further ones are only counted\n`)
  for (const at of heads.others)
    await print(`NOTE the archive has signed heads of another record of this tenant, sealed last at ${at}\n`)
  if (heads.newest !== undefined && !heads.has_known_key)
    await print(
      'NOTE who signed the heads is not looked at: VERBATIM_AUDIT_KEY_FILE names the key of all who use the store\n',
    )
  const count = problemsOf(report)
  await print(
    `${report.rows} rows in ${report.seals} seals: ${count === 0 ? 'all as they were sealed' : `${count} problems`}\n`,
  )
  await print(
    heads.newest === undefined
      ? 'no signed head in the archive bears them out yet\n'
      : `${heads.heads} signed heads in the archive bear out seals 1 to ${heads.newest.seal}, the newest of ${heads.newest.at}\n`,
  )
  if (report.waiting > 0) await print(`${report.waiting} rows wait to be sealed\n`)
}

function placeOf({ row, seal }: AuditProblem): string {
  if (row !== undefined) return `row ${row}${seal === undefined ? '' : ` of seal ${seal}`} `
  return seal === undefined ? '' : `seal ${seal} `
}
