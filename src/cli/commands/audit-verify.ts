import type { Command } from 'commander'

import type { AuditProblem } from '../../audit/audit-problems.ts'
import { verifyAudit, type AuditReport } from '../../audit/verify-audit.ts'
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
        const report = await verifyAudit(verbatim.stores.database, caller)
        if (report.problem_count > 0) status.code = exitCodes.problems
        return json === true ? printJson(report) : tell(report)
      })
    })
}

async function tell(report: AuditReport): Promise<void> {
  for (const problem of report.problems) await print(`PROBLEM ${placeOf(problem)} ${problem.problem}\n`)
  const untold = report.problem_count - report.problems.length
  if (untold > 0) await print(`PROBLEM ${untold} further ones are only counted\n`)
  const verdict = report.problem_count === 0 ? 'all as they were sealed' : `${report.problem_count} problems`
  await print(`${report.rows} rows in ${report.seals} seals: ${verdict}\n`)
  if (report.waiting > 0) await print(`${report.waiting} rows wait to be sealed\n`)
}

function placeOf({ row, seal }: AuditProblem): string {
  return row === undefined ? `seal ${seal}` : `row ${row}${seal === undefined ? '' : ` of seal ${seal}`}`
}
