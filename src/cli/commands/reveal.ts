import type { Command } from 'commander'

import { withStore } from '../context.ts'
import { print, printJson } from '../output.ts'

/** `verbatim privacy reveal`. */
export function registerReveal(privacy: Command, program: Command): void {
  privacy
    .command('reveal')
    .description('tell what a token of a pseudonymised view stands for; the audit log keeps that it was asked')
    .argument('<token>', 'as the view shows it: [person_3f9c01ab72], the brackets may be left out')
    .option('--json', 'machine-readable output')
    .action(async (token: string, options: { readonly json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const revealed = await verbatim.revealPseudonym(caller, token)
        if (options.json === true) return printJson(revealed)
        return print(`${revealed.values.join('\n')}\n`)
      })
    })
}
