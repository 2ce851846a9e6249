import { Option, type Command } from 'commander'

import type { SummaryReply } from '../../insight/summaries/summary-reply.ts'
import { limits } from '../../limits.ts'
import { summaryStyles, type SummaryStyle } from '../../model/summary-style.ts'
import { withStore } from '../context.ts'
import { print, printJson } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface SummarizeOptions {
  readonly style: SummaryStyle
  readonly maxTokens: number
  readonly refresh?: boolean
  readonly json?: boolean
}

/** The sentences, each with the numbers of its messages before it. */
function linesOf({ summary, citations, made_by: madeBy }: SummaryReply): string[] {
  if (madeBy === 'extractive') return citations.map(({ seq, sender, text = '' }) => `[${seq}] ${sender}: ${text}`)
  return summary.split('\n').map((line, at) => {
    const numbers = citations.flatMap(({ sentence, seq }) => (sentence === at + 1 ? [seq] : []))
    return `[${numbers.join(', ')}] ${line}`
  })
}

export function registerSummarize(program: Command): void {
  program
    .command('summarize')
    .description('summarize a session, each sentence with the numbers of its messages')
    .argument('<session>', 'its id, ours or the source’s own')
    .addOption(new Option('--style <style>', 'what for').choices(summaryStyles).default('brief'))
    .option('--max-tokens <n>', 'length', wholeNumber(50, limits.resultTokensMax), limits.summaryTokensDefault)
    .option('--refresh', 'make it anew although a stored one is current')
    .option('--json', 'machine-readable output')
    .action(async (session: string, options: SummarizeOptions) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const reply = await verbatim.summarize(caller, {
          sessionId: session,
          style: options.style,
          maxTokens: options.maxTokens,
          refresh: options.refresh ?? false,
          keep: true,
        })
        if (options.json === true) return printJson(reply)
        const lacks = reply.made_by === 'extractive' ? 'Not by a model' : 'Not made anew'
        for (const reason of reply.degraded ?? []) process.stderr.write(`${lacks}: ${reason}\n`)
        if (reply.summary === '') return print('Nothing to summarize.\n')
        return print(`${reply.made_by === 'host' ? reply.summary : linesOf(reply).join('\n')}\n`)
      })
    })
}
