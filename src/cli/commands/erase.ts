import type { Command } from 'commander'

import { withStore, type CommandContext } from '../context.ts'
import type { ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { addForgetOptions, forgetChosen, renderReceipt, tellForgotten, type ForgetOptions } from './forget-command.ts'

interface EraseOptions extends ForgetOptions {
  readonly receipts?: boolean
  readonly again?: boolean
  readonly rewrite?: boolean
}

const receiptsShown = 1_000

async function listReceipts({ verbatim, caller }: CommandContext, { json }: EraseOptions): Promise<void> {
  const receipts = await verbatim.erasures.receipts(caller, { limit: receiptsShown })
  if (json === true) return printJson(receipts)
  if (receipts.length === 0) return print('Nothing was ever erased.\n')
  for (const receipt of receipts) await print(renderReceipt(receipt))
}

async function rewrite({ verbatim, caller }: CommandContext): Promise<void> {
  await verbatim.erasures.rewriteFiles(caller)
  await print('The files of the store are written anew.\n')
}

export function registerErase(program: Command, status: ExitStatus): void {
  const command = program
    .command('erase')
    .description(
      'erase for good, from every store, what meets all that is named; without --yes or --confirm it only shows what that would be',
    )
  addForgetOptions(command, 'erase')
    .option('--again', 'erase or anonymise what has come back, as where an older copy of the database was put back')
    .option('--rewrite', 'write the files of the embedded store anew: then nothing of what was erased is left in them')
    .option('--receipts', 'show what was erased or anonymised, and what is pending')
    .option('--json', 'machine-readable output')
    .action(async (options: EraseOptions) => {
      await withStore(program, async (context) => {
        if (options.receipts === true) return listReceipts(context, options)
        if (options.rewrite === true) return rewrite(context)
        const reply =
          options.again === true
            ? await context.verbatim.erasures.again(context.caller)
            : await forgetChosen(context, options, { action: 'erase' })
        if (reply === undefined) return print('Nothing has come back of what was erased.\n')
        return tellForgotten(reply, { json: options.json, status })
      })
    })
}
