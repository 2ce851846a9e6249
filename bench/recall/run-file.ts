import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { repositoryRoot } from '../machine.ts'
import type { Reply } from './ask.ts'
import type { Dataset, Question } from './dataset.ts'
import type { Place } from './fill.ts'
import { meanOf, type Answer, type Scored } from './metrics.ts'

/** A name that no message of another conversation has: in one store for all, each of them has its own first message. */
function nameIn(question: Question, place: Place, own: string): string {
  return place.conversation === question.conversation ? own : `${place.conversation}/${own}`
}

export function answerOf(question: Question, reply: Reply): Answer {
  const found = reply.windows.flat()
  return {
    ranked: found.map((place) => nameIn(question, place, place.ref)),
    sessions: found.map((place) => nameIn(question, place, String(place.session))),
  }
}

export interface Run {
  /** Of its files: setting, dataset and scope. */
  readonly name: string
  readonly dataset: Dataset
  readonly questions: readonly Question[]
  readonly replies: readonly Reply[]
  readonly scored: readonly Scored[]
}

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}

/** Writes the rankings and the questions in the form that other scorers read. */
async function writeRun(directory: string, run: Run): Promise<{ readonly run: string; readonly questions: string }> {
  await mkdir(directory, { recursive: true })
  const paths = {
    run: join(directory, `${run.name}.run.jsonl`),
    questions: join(directory, `${run.name}.questions.jsonl`),
  }
  const answers = run.questions.map((question, at) => {
    const reply = run.replies[at]
    if (reply === undefined) throw new Error(`Run ${run.name} has a question without a reply`)
    const named = reply.windows.map((window) => window.map((place) => nameIn(question, place, place.ref)))
    const hasWindows = named.some(({ length }) => length > 1)
    return {
      conv: question.conversation,
      qi: question.index,
      ranked: named.flat(),
      ...(hasWindows ? { windows: named } : {}),
    }
  })
  const questions = run.questions.map(({ conversation, index, category, question, gold, goldSessions }) => ({
    conv: conversation,
    qi: index,
    category,
    question,
    gold,
    gold_sessions: goldSessions,
  }))
  await writeFile(paths.run, lines(answers))
  await writeFile(paths.questions, lines(questions))
  return paths
}

const columns = ['R@1', 'R@5', 'R@10', 'R@20', 'R@50', 'any@10', 'all@10', 'MRR', 'nDCG@10'] as const
const scorer = join(repositoryRoot, '..', 'shared', 'tools', 'score_run.mjs')
/** The scorer prints two decimals of percents. */
const roundingPercent = 0.0051

function checkLine(run: Run, line: string): void {
  const [category, count, ...values] = line.trim().replace('ALL (micro over questions)', 'ALL').split(/\s+/u)
  const own = run.scored.filter((scored) =>
    category === 'ALL' ? !run.dataset.categoriesApart.includes(scored.category) : scored.category === category,
  )
  const differs = columns.find(
    (metric, at) => Math.abs(100 * meanOf(own, metric) - Number(values[at])) > roundingPercent,
  )
  if (Number(count) !== own.length || values.length !== columns.length || differs !== undefined)
    throw new Error(
      `The scorer and this bench disagree on run ${run.name}, category ${category}: ${differs ?? 'its size'}`,
    )
}

/**
 * Writes a run to files and has the scorer beside the repository read them. Throws where it comes to other figures than
 * this bench; false where it is absent.
 */
export async function keepAndCheckRun(directory: string, run: Run): Promise<boolean> {
  const paths = await writeRun(directory, run)
  if (!existsSync(scorer)) return false
  const skip = run.dataset.categoriesApart.map((category) => `--skip=${category}`)
  const output = execFileSync(process.execPath, [scorer, paths.run, paths.questions, ...skip], { encoding: 'utf8' })
  const [, ...body] = output.trimEnd().split('\n')
  for (const line of body) checkLine(run, line)
  return true
}
