import type { Command } from 'commander'

import { withStore } from '../context.ts'
import type { ExitStatus } from '../exit-codes.ts'
import { addForgetOptions, forgetChosen, tellForgotten, type ForgetOptions } from './forget-command.ts'

interface AnonymiseOptions extends ForgetOptions {
  readonly pseudonymise?: boolean
  readonly knownNames?: boolean
}

export function registerAnonymise(program: Command, status: ExitStatus): void {
  const command = program
    .command('anonymise')
    .description(
      'replace for good, in every store, the personal data and secrets that are found in the messages that meet all that is named; without --yes or --confirm it only shows what that would be',
    )
  addForgetOptions(command, 'anonymise')
    .option('--pseudonymise', 'by tokens that tell one from another within a session, and not by kinds alone')
    .option('--known-names', 'also where the model of VERBATIM_NAMES has not read all of the messages yet')
    .option('--json', 'machine-readable output')
    .action((options: AnonymiseOptions) =>
      withStore(program, async (context) => {
        const what = {
          action: 'anonymise',
          pseudonymise: options.pseudonymise,
          withKnownNames: options.knownNames,
        } as const
        return tellForgotten(await forgetChosen(context, options, what), { json: options.json, status })
      }),
    )
}
