/** One sample of the text format of Prometheus. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Metrics as they were read, by the rules of the text format: what does not keep to them is an error. */
export class Scrape {
  readonly samples: readonly Sample[]
  readonly #types: ReadonlyMap<string, string>

  constructor(text: string) {
    if (!text.endsWith('\n')) throw new Error('The last line must end')
    const types = new Map<string, string>()
    const samples: Sample[] = []
    for (const line of text.split('\n')) {
      const [, kind, named = '', about = ''] = /^# (HELP|TYPE) ([a-z_:][\w:]*) (.+)$/i.exec(line) ?? []
      if (kind === 'TYPE') {
        if (types.has(named)) throw new Error(`Two types of ${named}`)
        if (!['counter', 'gauge', 'histogram', 'summary'].includes(about)) throw new Error(`No type: ${line}`)
        types.set(named, about)
      } else if (kind === undefined && line !== '') samples.push(sampleOf(line))
    }
    for (const { name } of samples)
      if (!types.has(name) && !types.has(name.replace(/_(?:bucket|sum|count)$/, '')))
        throw new Error(`No type of ${name}`)
    const keys = samples.map(({ name, labels }) =>
      JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
    )
    if (new Set(keys).size !== keys.length) throw new Error('A sample is there twice')
    this.samples = samples
    this.#types = types
  }

  /** The sum of the samples that have these labels; undefined where there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
  }

  /** Throws where a histogram contradicts itself. Returns how many there are. */
  checkHistograms(): number {
    const names = [...this.#types].flatMap(([name, type]) => (type === 'histogram' ? [name] : []))
    for (const name of names) {
      for (const { labels, value } of this.samples.filter((sample) => sample.name === `${name}_count`)) {
        const buckets = this.samples.filter(
          (sample) =>
            sample.name === `${name}_bucket` &&
            Object.entries(labels).every(([label, wanted]) => sample.labels[label] === wanted),
        )
        const counts = buckets.map((bucket) => bucket.value)
        const isRising = counts.every((count, at) => at === 0 || count >= (counts[at - 1] ?? 0))
        if (!isRising || buckets.at(-1)?.labels['le'] !== '+Inf' || counts.at(-1) !== value)
          throw new Error(`${name} contradicts itself`)
      }
    }
    return names.length
  }
}

function sampleOf(line: string): Sample {
  const [, name, inner, number] = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
  if (name === undefined || number === undefined) throw new Error(`No sample: ${line}`)
  const labels = [...(inner ?? '').matchAll(/([a-z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gi)]
  if (labels.map(([whole]) => whole).join('') !== (inner ?? '')) throw new Error(`No labels: ${line}`)
  const value = number === '+Inf' ? Infinity : Number(number)
  // Readers take it in any case, as prom-client knows.
  if (Number.isNaN(value) && number.toLowerCase() !== 'nan') throw new Error(`No number: ${line}`)
  return { name, labels: Object.fromEntries(labels.map(([, label = '', text = '']) => [label, text])), value }
}
