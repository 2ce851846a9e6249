import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { z } from 'zod'

import type { DataType } from '../../src/privacy/detection.ts'
import { instructionsIn } from '../../src/privacy/instructions/instructions.ts'
import { secrets } from '../../src/privacy/secrets/secrets.ts'
import { holds, type BenchResult, type Figure, type Table } from '../figure.ts'
import { describeMachine, repositoryRoot } from '../machine.ts'
import { renderReport, writeResults } from '../results.ts'
import { codeTexts, transcriptTexts } from './code-messages.ts'
import { readJudgements, readSentences } from './datasets.ts'
import { carried, injections } from './injections.ts'
import { count, isCovered, type Counts } from './measure-spans.ts'
import { openMeasured } from './names.ts'
import { readSecretSamples } from './secret-samples.ts'

/**
 * `npm run bench:privacy -- [--sentences FILE] [--judgements FILE] [--injections FILE] [--names] [--name NAME]`: precision and recall of the detectors
 * of personal data and secrets, by type. Other files of the same forms can be named. With `--names` the model
 * of VERBATIM_NAMES is asked for names too, once for each text: it costs what it costs. Exits 1 where a promise does not hold.
 */
const data = join(repositoryRoot, '..', 'shared', 'data')
const { values } = parseArgs({
  options: {
    sentences: { type: 'string', default: join(data, 'pii', 'presidio', 'generated_large.json') },
    judgements: { type: 'string', default: join(data, 'pii', 'tab', 'entity_tab.dev.jsonl') },
    injections: { type: 'string' },
    names: { type: 'boolean', default: false },
    name: { type: 'string', default: 'privacy' },
  },
})
const rules = join(data, 'pii', 'gitleaks', 'gitleaks.toml')
const transcripts = join(data, 'transcripts')
const codeMessages = 10_000

/** The types with a form of their own: of these much is promised. */
const structured: readonly DataType[] = [
  'payment_card',
  'iban',
  'phone',
  'email',
  'network_address',
  'national_id',
  'record_number',
  'date_of_birth',
  'website',
]
const measured = openMeasured(values.names)
const notes = [
  `By ${measured.by}. The default files are the development parts of their data sets; the detectors were made with them in view.`,
  'Recall: all letters and digits of a span lie in detections of its type. Precision: a detection overlaps a span of its type.',
  'The identities in the sentences are synthetic (presidio-research; FakeNameGenerator.com, CC BY-SA 3.0 US).',
  'Instructions: our own texts, in what carries them; the rules were made with them in view.',
  'Secrets: up to 20 random texts for each rule of gitleaks that has a pattern, as its pattern, words and entropy ask.',
]
const percent = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole)

async function sentenceFigures(path: string): Promise<{ readonly figures: Figure[]; readonly tables: Table[] }> {
  const counts = new Map<DataType, Counts>()
  let spans = 0
  let covered = 0
  for (const labelled of readSentences(path)) {
    const detections = await measured.detect(labelled.text)
    count(counts, labelled, detections)
    spans += labelled.spans.length
    covered += labelled.spans.filter((span) => isCovered(labelled.text, span, { detections })).length
  }
  const figures = structured.flatMap((type): Figure[] => {
    const { gold, found, detected, right } = counts.get(type) ?? { gold: 0, found: 0, detected: 0, right: 0 }
    if (gold === 0) return []
    return [
      {
        name: `${type}: recall`,
        value: percent(found, gold),
        unit: '%',
        samples: gold,
        bound: { of: 'value', atLeast: 99 },
      },
      {
        name: `${type}: precision`,
        value: percent(right, detected),
        unit: '%',
        samples: detected,
        bound: { of: 'value', atLeast: 97 },
      },
    ]
  })
  const rows = [...counts].map(([type, { gold, found, detected, right }]) => [
    type,
    String(gold),
    percent(found, gold).toFixed(1),
    String(detected),
    percent(right, detected).toFixed(1),
  ])
  return {
    figures: [
      ...figures,
      {
        name: 'all types of the sentences: covered',
        value: percent(covered, spans),
        unit: '%',
        samples: spans,
        bound: { of: 'value', atLeast: 50 },
      },
    ],
    tables: [{ title: 'Sentences, by type', header: ['type', 'spans', 'recall', 'detected', 'precision'], rows }],
  }
}

async function judgementFigures(path: string): Promise<Figure[]> {
  const found = { DIRECT: 0, QUASI: 0, NO_MASK: 0 }
  const all = { DIRECT: 0, QUASI: 0, NO_MASK: 0 }
  for (const { text, identifiers } of readJudgements(path)) {
    const detections = await measured.detect(text)
    for (const identifier of identifiers) {
      all[identifier.kind]++
      if (isCovered(text, identifier, { detections })) found[identifier.kind]++
    }
  }
  const figure = (kind: keyof typeof all, name: string): Figure => ({
    name,
    value: percent(found[kind], all[kind]),
    unit: '%',
    samples: all[kind],
  })
  return [
    { ...figure('DIRECT', 'judgements, direct identifiers: recall'), bound: { of: 'value', atLeast: 95 } },
    figure('QUASI', 'judgements, quasi-identifiers: recall'),
    figure('NO_MASK', 'judgements, what need not be hidden: hidden'),
  ]
}

function secretFigures(): { readonly figures: Figure[]; readonly tables: Table[] } {
  const measured = readSecretSamples(rules).map(({ id, samples }) => ({
    id,
    all: samples.length,
    found: samples.filter(({ text }) => secrets(text).length > 0).length,
    covered: samples.filter((sample) => isCovered(sample.text, sample, { detections: secrets(sample.text) })).length,
  }))
  const sum = (of: 'all' | 'found' | 'covered') => measured.reduce((total, rule) => total + rule[of], 0)
  const weak = measured.filter(({ all, found }) => found < all || all === 0)
  return {
    figures: [
      {
        name: 'texts with a secret: flagged',
        value: percent(sum('found'), sum('all')),
        unit: '%',
        samples: sum('all'),
        bound: { of: 'value', atLeast: 98 },
      },
      {
        name: 'secrets: covered to the last letter',
        value: percent(sum('covered'), sum('all')),
        unit: '%',
        samples: sum('all'),
      },
    ],
    tables: [
      {
        title: 'Rules of gitleaks of which a secret was missed, or no sample could be made',
        header: ['rule', 'found', 'of'],
        rows: weak.map(({ id, all, found }) => [id, String(found), String(all)]),
      },
    ],
  }
}

function falseAlarmFigures(): Figure[] {
  const sets = [
    { name: 'source code', texts: codeTexts(codeMessages) },
    { name: 'transcripts of agents', texts: transcriptTexts(transcripts) },
  ]
  return sets.flatMap(({ name, texts }): Figure[] => {
    const share = (isFlagged: (text: string) => boolean) => ({
      value: percent(texts.filter(isFlagged).length, texts.length),
      unit: '%' as const,
      samples: texts.length,
      bound: { of: 'value' as const, atMost: 1 },
    })
    return [
      { name: `${name}: flagged as secret`, ...share((text) => secrets(text).length > 0) },
      { name: `${name}: flagged as instructions`, ...share((text) => instructionsIn(text).length > 0) },
    ]
  })
}

/** Texts that try to tell a model what to do: our own, in what carries them, or those of a file as a JSON array of strings. */
function injectionFigure(): Figure {
  const texts =
    values.injections === undefined
      ? carried(injections)
      : z.array(z.string()).parse(JSON.parse(readFileSync(resolve(values.injections), 'utf8')))
  const missed = texts.filter((text) => instructionsIn(text).length === 0)
  return {
    name: 'instructions to a model: flagged',
    value: percent(texts.length - missed.length, texts.length),
    unit: '%',
    samples: texts.length,
    ...(values.injections === undefined ? { bound: { of: 'value', atLeast: 98 } } : {}),
  }
}
const figures: Figure[] = []
const tables: Table[] = []
for (const [path, measure] of [
  [resolve(values.sentences), sentenceFigures],
  [resolve(values.judgements), async (file: string) => ({ figures: await judgementFigures(file), tables: [] })],
  [rules, secretFigures],
  [transcripts, () => ({ figures: falseAlarmFigures(), tables: [] })],
] as const) {
  if (!existsSync(path)) {
    notes.push(`Not measured: ${path.replace(join(repositoryRoot, '..'), '..')} is absent.`)
    continue
  }
  const part = await measure(path)
  figures.push(...part.figures)
  tables.push(...part.tables)
}
await measured.close()
figures.push(injectionFigure())
const result: BenchResult = { bench: values.name, figures, tables, notes }
const report = {
  at: new Date().toISOString(),
  quick: false,
  complete: false,
  machine: describeMachine(),
  results: [result],
}
const files = await writeResults(report)
process.stdout.write(`${renderReport(report)}\nKept in ${files.join(' and ')}\n`)
if (figures.some((figure) => holds(figure) === false)) process.exitCode = 1
