/** What a figure is compared with, measured in the same run. */
export interface Baseline {
  readonly name: string
  readonly value: number
  /**
   * Of two speeds: the product's divided by the baseline's, so that more is better. Of two times or sizes: the product's
   * divided by the baseline's, so that less is better.
   */
  readonly ratio: number
  readonly ratioOf: 'speeds' | 'times' | 'sizes'
}

/** What the product promises of a figure. */
export interface Bound {
  readonly of: 'value' | 'ratio'
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly samples?: number
  readonly baselines?: readonly Baseline[]
  /** Holds for the value, or for the ratio to the first baseline. */
  readonly bound?: Bound
}

/** What reads better in rows and columns of its own than as figures one below the other. */
export interface Table {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface BenchResult {
  readonly bench: string
  readonly figures: readonly Figure[]
  readonly tables?: readonly Table[]
  /** Why something was not measured, and what to know when reading the figures. */
  readonly notes: readonly string[]
}

/** Compares two times of the same work as speeds. */
export function speedBaseline(name: string, times: { readonly own: number; readonly baseline: number }): Baseline {
  return { name, value: times.baseline, ratio: times.baseline / times.own, ratioOf: 'speeds' }
}

export function timeBaseline(name: string, times: { readonly own: number; readonly baseline: number }): Baseline {
  return { name, value: times.baseline, ratio: times.own / times.baseline, ratioOf: 'times' }
}

export function sizeBaseline(name: string, sizes: { readonly own: number; readonly baseline: number }): Baseline {
  return { name, value: sizes.baseline, ratio: sizes.own / sizes.baseline, ratioOf: 'sizes' }
}

/** Undefined where nothing is promised. */
export function holds(figure: Figure): boolean | undefined {
  if (figure.bound === undefined) return undefined
  const { of, atLeast = -Infinity, atMost = Infinity } = figure.bound
  const measured = of === 'value' ? figure.value : figure.baselines?.[0]?.ratio
  return measured !== undefined && measured >= atLeast && measured <= atMost
}

/** Three significant digits, which is more than such measurements bear. */
export function formatNumber(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}

function formatBound(figure: Figure): string {
  const { bound } = figure
  if (bound === undefined) return ''
  const limit = bound.atLeast === undefined ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`
  return `${bound.of} ${limit}: ${holds(figure) === true ? 'holds' : 'FAILS'}`
}

const header = ['figure', 'value', 'baseline', 'ratio', 'must'] as const

function rowsOf(figure: Figure): string[][] {
  const [first, ...others] = figure.baselines ?? []
  const comparison = (baseline: Baseline | undefined) =>
    baseline === undefined
      ? ['', '']
      : [
          `${formatNumber(baseline.value)} ${figure.unit} ${baseline.name}`,
          `${formatNumber(baseline.ratio)} (${baseline.ratioOf})`,
        ]
  return [
    [figure.name, `${formatNumber(figure.value)} ${figure.unit}`, ...comparison(first), formatBound(figure)],
    ...others.map((baseline) => ['', '', ...comparison(baseline), '']),
  ]
}

/** The lines of a Markdown table that is also readable in a terminal. */
function renderRows(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)]
}

/** One bench in Markdown. */
export function renderBench(result: BenchResult): string {
  const notes = result.notes.map((note) => `- ${note}`)
  const tables = (result.tables ?? []).flatMap(({ title, header, rows }) => [
    `### ${title}`,
    '',
    ...renderRows(header, rows),
    '',
  ])
  return [
    `## ${result.bench}`,
    '',
    ...(result.figures.length > 0 ? [...renderRows(header, result.figures.flatMap(rowsOf)), ''] : []),
    ...tables,
    ...(notes.length > 0 ? [...notes, ''] : []),
  ].join('\n')
}
