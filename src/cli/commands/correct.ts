import { readFile } from 'node:fs/promises'

import type { Command } from 'commander'

import { InputError, messageOf } from '../../errors.ts'
import { correctMessage } from '../../rights/correct.ts'
import { withStore } from '../context.ts'
import { print, printJson } from '../output.ts'

interface CorrectOptions {
  readonly content?: string
  readonly file?: string
  readonly asJson?: boolean
  readonly reason: string
  readonly json?: boolean
}

async function contentOf({ content, file, asJson }: CorrectOptions): Promise<unknown> {
  if ((content === undefined) === (file === undefined))
    throw new InputError('Cannot correct a message as what it should say is given in no way, or in two', {
      remedy: 'Give --content or --file',
    })
  const text = content ?? (await textOf(file ?? ''))
  if (asJson !== true) return text
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError(`Cannot read the content as JSON: ${messageOf(error)}`, {
      remedy: 'Leave out --as-json for plain text',
      cause: error,
    })
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path))
  } catch (error) {
    throw new InputError(`Cannot read "${path}" as text: ${messageOf(error)}`, {
      remedy: 'Name a file in UTF-8',
      cause: error,
    })
  }
}

export function registerCorrect(program: Command): void {
  program
    .command('correct')
    .description('say what a message should say: a new version that is found in its place; the old one stays as it is')
    .argument('<session>', 'its id, ours or the source’s own')
    .argument('<message>', 'its number in the session, or its id')
    .option('--content <text>', 'what it should say')
    .option('--file <path>', 'a file that holds what it should say')
    .option('--as-json', 'the content is JSON, as blocks are')
    .requiredOption('--reason <text>', 'kept beside the audit log until what it is about is erased')
    .option('--json', 'machine-readable output')
    .action(async (session: string, message: string, options: CorrectOptions) => {
      const { reason } = options
      const content = await contentOf(options)
      await withStore(program, async ({ verbatim, caller }) => {
        const done = await correctMessage(verbatim.stores, caller, { session, message, content, reason })
        if (options.json === true) return printJson(done)
        return print(
          `message ${done.corrected_id} is corrected by message ${done.message_id}, number ${done.seq} of session ${done.session_id}\n`,
        )
      })
    })
}
