import { Option, type Command } from 'commander'

import { InputError } from '../../errors.ts'
import { explainDegraded, hintOf, nothingOf } from '../../insight/summaries/render-summary.ts'
import type { SummaryReply } from '../../insight/summaries/summary-reply.ts'
import { limits } from '../../limits.ts'
import { summaryStyles, type SummaryStyle } from '../../model/summary-style.ts'
import { withStore } from '../context.ts'
import { print, printJson } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface SummarizeOptions {
  readonly query?: string
  readonly since?: string
  readonly until?: string
  readonly style: SummaryStyle
  readonly maxTokens: number
  readonly refresh?: boolean
  readonly json?: boolean
}

/** The sentences, each with the numbers of its messages before it. */
function linesOf({ summary, citations, made_by: madeBy, coverage }: SummaryReply): string[] {
  const placeOf = ({ session_id: id, seq }: SummaryReply['citations'][number]) =>
    id === undefined ? seq : `${id} ${seq}`
  if (madeBy === 'extractive')
    return citations.map((citation) => `[${placeOf(citation)}] ${citation.sender}: ${citation.text ?? ''}`)
  return summary.split('\n').map((line, at) => {
    const cited = citations.filter(({ sentence }) => sentence === at + 1)
    if (coverage.sentences_without_messages?.includes(at + 1) === true) return `[no message] ${line}`
    // What a calling model cites stands in its sentence.
    const isAsWritten = madeBy === 'host' && !cited.some(({ found }) => found)
    return isAsWritten ? line : `[${cited.map(placeOf).join(', ')}] ${line}`
  })
}

/** The command's own words for what it lacks. */
function refuseUnclear(session: string | undefined, { query, since, until }: SummarizeOptions): void {
  if (session !== undefined && query !== undefined)
    throw new InputError('Cannot summarize as both a session and --query are given', { remedy: 'Give one of them' })
  if (session === undefined && query === undefined && since === undefined && until === undefined)
    throw new InputError('Cannot summarize as it is not said what', {
      remedy: 'Name a session, or give --query, or --since and --until',
    })
}

export function registerSummarize(program: Command): void {
  program
    .command('summarize')
    .description(
      'summarize a session, or what all say about something or said in a time, each sentence with the numbers of its messages',
    )
    .argument('[session]', 'its id, ours or the source’s own; without one, --query or --since and --until')
    .option('--query <text>', 'what all sessions say about this')
    .option('--since <time>', 'messages from then on')
    .option('--until <time>', 'messages up to then')
    .addOption(new Option('--style <style>', 'what for').choices(summaryStyles).default('brief'))
    .option('--max-tokens <n>', 'length', wholeNumber(50, limits.resultTokensMax), limits.summaryTokensDefault)
    .option('--refresh', 'make it anew although a stored one is current')
    .option('--json', 'machine-readable output')
    .action(async (session: string | undefined, options: SummarizeOptions) => {
      refuseUnclear(session, options)
      await withStore(program, async ({ verbatim, caller }) => {
        const reply = await verbatim.summarize(caller, {
          sessionId: session,
          query: options.query,
          since: options.since,
          until: options.until,
          style: options.style,
          maxTokens: options.maxTokens,
          refresh: options.refresh ?? false,
          keep: true,
        })
        if (options.json === true) return printJson(reply)
        for (const line of explainDegraded(reply)) process.stderr.write(`${line}\n`)
        if (reply.summary === '') return print(`${nothingOf(reply)}.${hintOf(reply)}\n`)
        return print(`${linesOf(reply).join('\n')}\n`)
      })
    })
}
