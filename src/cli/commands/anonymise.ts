import type { Command } from 'commander'

import { withStore } from '../context.ts'
import type { ExitStatus } from '../exit-codes.ts'
import { addForgetOptions, forgetChosen, tellForgotten, type ForgetOptions } from './forget-command.ts'

interface AnonymiseOptions extends ForgetOptions {
  readonly pseudonymise?: boolean
}

export function registerAnonymise(program: Command, status: ExitStatus): void {
  const command = program
    .command('anonymise')
    .description(
      'replace for good, in every store, the personal data and secrets that rules find in the messages that meet all that is named; without --yes or --confirm it only shows what that would be',
    )
  addForgetOptions(command, 'anonymise')
    .option('--pseudonymise', 'by tokens that tell one from another within a session, and not by kinds alone')
    .option('--json', 'machine-readable output')
    .action((options: AnonymiseOptions) =>
      withStore(program, async (context) => {
        const what = { action: 'anonymise', pseudonymise: options.pseudonymise } as const
        return tellForgotten(await forgetChosen(context, options, what), { json: options.json, status })
      }),
    )
}
