import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { renderBench, type BenchResult } from './figure.ts'
import { repositoryRoot, type Machine } from './machine.ts'

export interface Report {
  /** ISO 8601. */
  readonly at: string
  readonly quick: boolean
  /** False where only some benches were asked for. */
  readonly complete: boolean
  readonly machine: Machine
  readonly results: readonly BenchResult[]
}

const readingHelp =
  'Every baseline is measured in the same run, in turns with the figure it belongs to. A ratio of speeds is the ' +
  "product's speed divided by the baseline's (more is better); of times and sizes the product's divided by the " +
  "baseline's (less is better)."

export function renderReport(report: Report): string {
  const { machine } = report
  return [
    `# Benches of ${report.at.slice(0, 10)}${report.quick ? ' (quick: not to be quoted)' : ''}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}, Node ${machine.node.slice(1)}, ` +
      `fsync p50 ${machine.fsyncP50Ms} ms, load ${machine.load} at the start, commit ${machine.commit}.`,
    '',
    readingHelp,
    '',
    ...report.results.map(renderBench),
  ].join('\n')
}

/** Writes the report as JSON and as Markdown; one of the same day, machine and benches is replaced. Returns the files' names. */
export async function writeResults(report: Report): Promise<readonly string[]> {
  const directory = join(repositoryRoot, 'bench', 'results')
  await mkdir(directory, { recursive: true })
  const benches = report.complete ? '' : `-${report.results.map(({ bench }) => bench).join('-')}`
  const name = `${report.at.slice(0, 10)}-${report.machine.kind}${benches}${report.quick ? '-quick' : ''}`
  await writeFile(join(directory, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(join(directory, `${name}.md`), renderReport(report))
  return [`bench/results/${name}.json`, `bench/results/${name}.md`]
}
