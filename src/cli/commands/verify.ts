import type { Command } from 'commander'

import { verifyArchive, type ArchiveProblem } from '../../archive/verify-archive.ts'
import { verify, type VerifyProblem } from '../../capture/verify.ts'
import { counted, onlyCounted } from '../../model/text/counted.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'

export function registerVerify(program: Command, status: ExitStatus): void {
  program
    .command('verify')
    .description(
      'prove that everything stored is what went in: SHA-256 of every message and of every imported file, and that the archive holds the same',
    )
    .option('--json', 'machine-readable output')
    .action(async (options: { json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const { messages } = await verbatim.status(caller)
        const progress = await startProgress('verifying', messages)
        let before = 0
        const store = await verify(verbatim.stores, caller, (done) => {
          progress.add(done - before)
          before = done
        })
        const archive = await verifyArchive(verbatim.stores, caller)
        progress.stop()
        const problems: readonly (VerifyProblem & Partial<ArchiveProblem>)[] = [...store.problems, ...archive.problems]
        const report = {
          ...store,
          archive: { segments: archive.segments, manifests: archive.manifests },
          problem_count: store.problem_count + archive.problem_count,
          problems,
        }
        if (report.problem_count > 0) status.code = exitCodes.problems
        if (options.json === true) return printJson(report)
        for (const { session_id: session, message_id: message, file, object, problem } of report.problems) {
          const what = [session, message, file, object].filter((part) => part !== undefined).join(' ')
          await print(`PROBLEM ${what}: ${problem}\n`)
        }
        const untold = report.problem_count - report.problems.length
        if (untold > 0) await print(`PROBLEM ${onlyCounted(untold)}\n`)
        if (report.contents_only > 0)
          await print(
            `Of ${counted(report.contents_only, 'message')} the content alone is proven, as there is no digest of what stands beside it: see docs/losslessness.md\n`,
          )
        const verdict = report.problem_count === 0 ? 'all intact' : counted(report.problem_count, 'problem')
        return print(
          `${counted(report.messages, 'message')} of ${counted(report.sessions, 'session')} (${counted(report.bytes, 'byte')}) and ${counted(report.files, 'imported document')}: ${verdict}\n`,
        )
      })
    })
}
