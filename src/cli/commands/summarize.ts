import { Option, type Command } from 'commander'

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

export function registerSummarize(program: Command): void {
  program
    .command('summarize')
    .description('summarize a session with its own sentences, each with the number of its message')
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
        const lines = reply.citations.map(({ seq, sender, text }) => `[${seq}] ${sender}: ${text}`)
        if (reply.made_by === 'host') return print(`${reply.summary}\n`)
        return print(lines.length === 0 ? 'Nothing to summarize.\n' : `${lines.join('\n')}\n`)
      })
    })
}
