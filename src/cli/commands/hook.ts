import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { text } from 'node:stream/consumers'

import { Argument, type Command } from 'commander'

import { stateIfThere } from '../../capture/documents/file-state.ts'
import { unendedLine } from '../../capture/documents/unended-line.ts'
import { hookClients, transcriptsOfHook, type HookClient } from '../../capture/hooks/hook-input.ts'
import { OwedCaptures, type OwedCapture } from '../../capture/hooks/owed-captures.ts'
import { processEnvironment } from '../../config.ts'
import { InputError } from '../../errors.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { prepareHome } from '../../store/embedded/home.ts'
import { configOf, type GlobalOptions } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { importOwed, tellDamagedNote } from '../import-owed.ts'
import { print } from '../output.ts'

const pending = 'pending'

/** What hooks have left is imported within moments; what is older waits for something. */
const overdueMs = 10 * 60_000

interface Noted {
  readonly overdue: readonly OwedCapture[]
  readonly hasDamaged: boolean
  /** Of a session that has ended: transcripts whose last line breaks off, and how long that is. */
  readonly broken: readonly { readonly path: string; readonly bytes: number }[]
}

/** Notes which transcripts are to be imported, and has that done by a process of its own: the client waits for a hook. */
async function note(program: Command, client: HookClient, input: string): Promise<Noted> {
  const config = configOf(program)
  const user = { home: homedir(), environment: processEnvironment() }
  const { paths, hasEnded } = await transcriptsOfHook(client, input, user)
  prepareHome(config.home)
  const owed = new OwedCaptures(config.home)
  // Before anything else is looked at that may fail.
  await owed.add(paths.map((path) => ({ path, format: client, hasEnded })))
  let hasDamaged = false
  const waiting = await owed.list((path) => {
    hasDamaged = true
    tellDamagedNote(path)
  })
  const { envFile } = program.opts<GlobalOptions>()
  const settings = envFile === undefined ? [] : ['--env-file', envFile]
  const script = process.argv[1] ?? ''
  spawn(process.execPath, [script, ...settings, 'hook', pending], { detached: true, stdio: 'ignore' }).unref()
  const overdue = waiting.filter(({ at }) => Date.parse(at) < Date.now() - overdueMs)
  return { overdue, hasDamaged, broken: hasEnded ? await brokenOff(paths) : [] }
}

async function brokenOff(paths: readonly string[]): Promise<Noted['broken']> {
  const found: { readonly path: string; readonly bytes: number }[] = []
  for (const path of paths) {
    if ((await stateIfThere(path)) === undefined) continue
    const line = await unendedLine(path)
    if (line?.isWhole === false) found.push({ path, bytes: line.bytes })
  }
  return found
}

async function inputOf(argument: string | undefined): Promise<string> {
  if (argument !== undefined) return argument
  if (process.stdin.isTTY)
    throw new InputError('Cannot read the input of a hook from a terminal', {
      remedy: 'Configure the hook as docs/capture.md shows: the client hands the input over',
    })
  return await text(process.stdin)
}

export function registerHook(program: Command, status: ExitStatus): void {
  program
    .command('hook')
    .description(
      'called by a client at the end of a turn or session: imports its transcript, without keeping it waiting',
    )
    .addArgument(
      new Argument('<client>', 'who calls; "pending": import now what earlier calls could not').choices([
        ...hookClients,
        pending,
      ]),
    )
    .argument('[input]', 'what the client says of the session, as JSON; read from stdin where it is not given')
    .action(async (client: HookClient | typeof pending, input: string | undefined) => {
      if (client === pending) return await importOwed(program, status)
      const { overdue, hasDamaged, broken } = await note(program, client, await inputOf(input))
      // Of a hook at the end of a turn Codex reads an answer: nothing is to be done.
      if (client === 'codex') await print('{}\n')
      if (hasDamaged || broken.length > 0) status.code = exitCodes.problems
      for (const { path, bytes } of broken)
        process.stderr.write(
          `verbatim: the last line of ${path} breaks off after ${counted(bytes, 'byte')} and is not stored: "verbatim status" counts them as missing, and "verbatim import" stores them as they are\n`,
        )
      const [oldest] = overdue
      if (oldest === undefined) return undefined
      status.code = exitCodes.problems
      process.stderr.write(
        `verbatim: ${counted(overdue.length, 'transcript')} ${agreed(overdue.length, 'waits', 'wait')} to be imported, the first since ${oldest.at}: run "verbatim hook pending" to see why\n`,
      )
      return undefined
    })
}
