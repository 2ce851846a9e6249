import type { Command } from 'commander'

import { InputError } from '../../errors.ts'
import type { FactChange } from '../../insight/learning/change-fact.ts'
import { factKinds, type FactKind } from '../../insight/learning/fact.ts'
import type { FactDocument } from '../../insight/learning/list-facts.ts'
import { limits } from '../../limits.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { withStore } from '../context.ts'
import { oneLine, print, printJson, table } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface ListOptions {
  readonly kind?: string
  readonly session?: string
  readonly past?: boolean
  readonly limit: number
  readonly json?: boolean
}

const dateCharacters = 10
const textCharacters = 80
const projectCharacters = 30

const dateOf = (time: string | null | undefined) => time?.slice(0, dateCharacters) ?? ''

/** The end of a directory's path, which tells more of it than the beginning. */
const nameOf = (project: string) => project.split(/[/\\]/u).slice(-2).join('/')

function isKind(kind: string): kind is FactKind {
  return factKinds.some((one) => one === kind)
}

function kindsOf(kind: string | undefined): readonly FactKind[] | undefined {
  if (kind === undefined) return undefined
  if (isKind(kind)) return [kind]
  throw new InputError(`Cannot list facts of the kind "${kind}" as there is no such kind`, {
    remedy: `Choose from: ${factKinds.join(', ')}`,
  })
}

function lineOf(fact: FactDocument): (string | number)[] {
  const state = [fact.pinned === true ? 'pinned' : '', fact.until === undefined ? '' : `until ${dateOf(fact.until)}`]
  return [
    fact.id,
    fact.kind,
    oneLine(fact.said_by, 20),
    dateOf(fact.since),
    fact.times,
    oneLine(fact.text, textCharacters),
    fact.project === undefined ? '' : oneLine(nameOf(fact.project), projectCharacters),
    state.filter((one) => one !== '').join(', '),
  ]
}

function correctorOf({ corrected_by: by, corrected_through: through }: FactDocument): string {
  if (by === undefined) return ''
  return through === undefined ? ` (${by})` : ` (${by}, through ${through})`
}

function rendered(fact: FactDocument): string {
  const { id, kind, text, said_by: saidBy, since, until, followed_by: next, times, confidence, made_by: madeBy } = fact
  const lines = [
    text,
    `  id          ${id}`,
    `  kind        ${kind}${fact.pinned === true ? ', pinned' : ''}`,
    `  said by     ${saidBy}, ${times === 1 ? 'once' : `${times} times`}`,
    ...(fact.project === undefined ? [] : [`  project     ${fact.project}`]),
    `  holds       since ${dateOf(since)}${until === undefined ? '' : `, until ${dateOf(until)}`}${next === undefined ? '' : `, then ${next}`}`,
    `  found by    ${madeBy}${correctorOf(fact)}, confidence ${confidence}`,
    ...fact.sources.map(
      ({ session_id: session, message_id: message, seq, span: [start, end] }) =>
        `  source      session ${session}, message ${seq} (${message}), characters ${start} to ${end}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

function registerReading(facts: Command, program: Command): void {
  facts
    .command('list')
    .description('what was learned and holds: what is pinned first, then the newest')
    .option('--kind <kind>', factKinds.join(', '))
    .option('--session <id>', 'what was told in one session')
    .option('--past', 'also what does not hold any more')
    .option('--limit <n>', 'how many at most', wholeNumber(1, limits.factsPageMax), limits.factsPageDefault)
    .option('--json', 'machine-readable output, with the sources')
    .action(({ kind, session, past, limit, json }: ListOptions) =>
      withStore(program, async ({ verbatim, caller }) => {
        const list = await verbatim.learned(caller).list({ kinds: kindsOf(kind), session, past, limit })
        if (json === true) return printJson(list)
        if (list.facts.length === 0) return print('Nothing was learned.\n')
        const rows = table(
          ['id', 'kind', 'said by', 'since', 'times', 'what', 'project', 'state'],
          list.facts.map(lineOf),
        )
        const more = list.total - list.facts.length
        return print(`${rows}\n${more > 0 ? `${more} more: --limit\n` : ''}`)
      }),
    )
  facts
    .command('show')
    .description('one fact, with the places in messages that it comes from')
    .argument('<id>', 'of the fact')
    .option('--json', 'machine-readable output')
    .action((id: string, { json }: { readonly json?: boolean }) =>
      withStore(program, async ({ verbatim, caller }) => {
        const fact = await verbatim.learned(caller).show(id)
        return json === true ? printJson(fact) : print(rendered(fact))
      }),
    )
}

async function change(program: Command, wanted: FactChange & { readonly id: string }): Promise<void> {
  await withStore(program, async ({ verbatim, caller }) => {
    const fact = await verbatim.learned(caller).change(wanted)
    await print(fact === undefined ? 'Deleted: the same words do not bring it back.\n' : rendered(fact))
  })
}

function registerChanges(facts: Command, program: Command): void {
  facts
    .command('correct')
    .description('put other words in the place of a fact, or say until when it held')
    .argument('<id>', 'of the fact')
    .argument('[text]', 'what it should say')
    .option('--until <time>', 'it held until then: ISO 8601')
    .action((id: string, text: string | undefined, { until }: { readonly until?: string }) => {
      if ((text === undefined) === (until === undefined))
        throw new InputError('Cannot correct the fact as there must be either a text or --until', {
          remedy: 'Give what it should say, or --until with a time',
        })
      return change(
        program,
        text === undefined ? { id, action: 'end', until: until ?? '' } : { id, action: 'correct', text },
      )
    })
  for (const [name, description] of [
    ['pin', 'show a fact first, and keep it whatever is said later'],
    ['unpin', 'treat a fact as any other again'],
    ['delete', 'forget a fact for good: the same words do not bring it back'],
  ] as const)
    facts
      .command(name)
      .description(description)
      .argument('<id>', 'of the fact')
      .action((id: string) => change(program, { id, action: name }))
  facts
    .command('reset')
    .description(
      'forget all that was learned, what was pinned, corrected and deleted too; patterns learn anew from all that is stored, a model from what is at most a day old, and with VERBATIM_LEARNING=off nobody until it is on again',
    )
    .option('--yes', 'do it: without, nothing is changed')
    .action(({ yes }: { readonly yes?: boolean }) => {
      if (yes !== true)
        throw new InputError(
          'Nothing was changed as what was corrected, pinned and deleted by hand, and what a model learned of messages older than a day, would be forgotten and not learned anew',
          {
            remedy: 'Add --yes to do it',
          },
        )
      return withStore(program, async ({ config, verbatim, caller }) => {
        const { forgotten, messages } = await verbatim.learned(caller).reset()
        const when = config.learns ? 'in the background' : 'when VERBATIM_LEARNING is on again, and not before'
        await print(
          `${counted(forgotten, 'fact')} ${agreed(forgotten, 'is', 'are')} forgotten; ${counted(messages, 'message')} ${agreed(messages, 'is', 'are')} read anew ${when}\n`,
        )
      })
    })
}

export function registerFacts(program: Command): void {
  const facts = program
    .command('facts')
    .description('what was learned from all sessions: facts, preferences, decisions, and what helped')
  registerReading(facts, program)
  registerChanges(facts, program)
}
