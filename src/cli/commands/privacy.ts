import type { Command } from 'commander'

import { processingRecord } from '../../rights/processing-record.ts'
import { renderRecord } from '../../rights/render-record.ts'
import { packageVersion } from '../../version.ts'
import { withStore } from '../context.ts'
import { print } from '../output.ts'
import { writeNewFile } from '../write-new-file.ts'
import { registerReveal } from './reveal.ts'

interface RecordOptions {
  readonly json?: boolean
  readonly output?: string
}

export function registerPrivacy(program: Command): void {
  const privacy = program
    .command('privacy')
    .description('what the law may want written down, and what stands behind pseudonyms')
  registerReveal(privacy, program)
  privacy
    .command('record')
    .description(
      'a record of processing from the settings in force and what is stored: purposes, categories, stores, recipients, retention, encryption; Markdown',
    )
    .option('--json', 'machine-readable output')
    .option('--output <path>', 'a new file to write to instead of stdout')
    .action(({ json, output }: RecordOptions) =>
      withStore(program, async ({ config, caller, verbatim }) => {
        const { database } = verbatim.stores
        const product = `verbatim ${packageVersion()}`
        const record = await processingRecord({ database, config, product, now: new Date() }, caller)
        const text = json === true ? `${JSON.stringify(record, null, 2)}\n` : renderRecord(record)
        return output === undefined ? print(text) : writeNewFile(output, once(text))
      }),
    )
}

async function* once(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(text)
}
