import type { Command } from 'commander'

import { linkImported } from '../capture/documents/import-files.ts'
import { importGrowing } from '../capture/documents/import-growing.ts'
import { OwedCaptures } from '../capture/hooks/owed-captures.ts'
import { configOf, withStore } from './context.ts'
import { exitCodes, type ExitStatus } from './exit-codes.ts'
import { print } from './output.ts'
import { renderGrowth } from './render-import.ts'
import { tellError } from './tell-error.ts'

export function tellDamagedNote(path: string): void {
  process.stderr.write(
    `verbatim: a note of a hook cannot be read and was set aside as ${path}: "verbatim import" finds the transcript that it named\n`,
  )
}

/** Imports the transcripts that hooks have left to be imported. What fails stays noted. */
export async function importOwed(program: Command, status: ExitStatus): Promise<void> {
  const owed = new OwedCaptures(configOf(program).home)
  const captures = await owed.list((path) => {
    status.code = exitCodes.problems
    tellDamagedNote(path)
  })
  if (captures.length === 0) return
  await withStore(program, async ({ verbatim, caller }) => {
    const ended = new Set(captures.filter(({ hasEnded }) => hasEnded === true).map(({ path }) => path))
    const formats = new Map(captures.map(({ path, format }) => [path, format]))
    for (const [path, format] of formats) {
      const file = { path, format, hasEnded: ended.has(path), onDefect: tellError }
      const report = await importGrowing(verbatim.stores, caller, file)
      if (report.unendedBytes !== undefined) status.code = exitCodes.problems
      await print(renderGrowth(report))
      if (report.status === 'failed') status.code = exitCodes.problems
      else await owed.done(captures.filter((capture) => capture.path === path))
    }
    await linkImported(verbatim.stores, caller)
  })
}
