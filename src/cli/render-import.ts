import type { FileReport } from '../capture/documents/import-files.ts'
import { agreed, counted } from '../model/text/counted.ts'
import { table } from './output.ts'

function sum(reports: readonly FileReport[], pick: (report: FileReport['documents'][number]) => number): number {
  return reports.reduce(
    (total, report) => total + report.documents.reduce((inner, document) => inner + pick(document), 0),
    0,
  )
}

export function hasFailed(reports: readonly FileReport[]): boolean {
  return reports.some(({ status }) => status === 'failed')
}

export function renderReports(reports: readonly FileReport[]): string {
  const byFormat = new Map<string, FileReport[]>()
  for (const report of reports) {
    if (report.format === undefined) continue
    byFormat.set(report.format, [...(byFormat.get(report.format) ?? []), report])
  }
  const rows = [...byFormat].map(([format, group]) => [
    format,
    group.length,
    group.filter(({ status }) => status === 'unchanged').length,
    sum(group, ({ added }) => added),
    sum(group, ({ known }) => known),
    sum(group, ({ counts }) => counts['unknown'] ?? 0),
    sum(group, ({ counts }) => counts['damaged'] ?? 0),
  ])
  const lines =
    rows.length === 0
      ? []
      : [table(['format', 'files', 'unchanged', 'new entries', 'known', 'of unknown kind', 'damaged'], rows), '']
  const erased = sum(reports, (document) => document.erased)
  if (erased > 0)
    lines.push(
      `${counted(erased, 'entry', 'entries')} ${agreed(erased, 'was', 'were')} erased or anonymised before and ${agreed(erased, 'is', 'are')} not stored again`,
    )
  for (const report of reports) {
    if (report.status === 'failed') lines.push(`FAILED ${report.path}: ${report.reason}`)
    if (report.status === 'skipped') lines.push(`skipped ${report.path}: ${report.reason}`)
    for (const document of report.documents) {
      for (const { entry, problem } of document.problems)
        lines.push(`damaged ${report.path} entry ${entry}: ${problem} (kept as it is)`)
    }
  }
  return `${lines.join('\n').trimEnd()}\n`
}

/** What a file that grew has given, in one line. */
export function renderGrowth({ path, format, status, reason, documents, unendedBytes = 0 }: FileReport): string {
  if (status !== 'imported') return `${status} ${path}: ${reason}\n`
  const count = (pick: (document: FileReport['documents'][number]) => number) =>
    documents.reduce((total, document) => total + pick(document), 0)
  const parts = [
    counted(
      count(({ added }) => added),
      'new entry',
      'new entries',
    ),
    ...[
      [count(({ counts }) => counts['damaged'] ?? 0), 'damaged'],
      [count(({ erased }) => erased), 'erased or anonymised before and not stored again'],
      [unendedBytes, `${agreed(unendedBytes, 'byte', 'bytes')} of a last line left that breaks off`],
    ].flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`])),
  ]
  return `${format} ${path}: ${parts.join(', ')}\n`
}
