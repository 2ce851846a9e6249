import type { Command } from 'commander'

import { isLoopback } from '../../config.ts'
import { InputError } from '../../errors.ts'
import { agreed, counted, onlyCounted } from '../../model/text/counted.ts'
import { readPeers, renameStore } from '../../store/sync/sync-peers.ts'
import type { SyncReport } from '../../sync/report.ts'
import { packageVersion } from '../../version.ts'
import { withStore, type CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson, table } from '../output.ts'
import { startProgress } from '../progress.ts'

interface Options {
  readonly asNew?: boolean
  readonly json?: boolean
}

export function registerSync(program: Command, status: ExitStatus): void {
  program
    .command('sync')
    .description(
      'exchange the history with another store, so that both have the same; without an address: show with which it was exchanged',
    )
    .argument(
      '[url]',
      'where "verbatim serve" runs, as in https://memory.example.com; VERBATIM_SYNC_TOKEN is shown there',
    )
    .option('--as-new', 'say that this store is a copy of the files of another one, and is one of its own from now on')
    .option('--json', 'machine-readable output')
    .action(async (url: string | undefined, options: Options) => {
      const address = url === undefined ? undefined : readAddress(url)
      await withStore(program, async (context) => {
        if (options.asNew === true) await asNew(context)
        if (address !== undefined) return await exchange(context, { address, options, status })
        return options.asNew === true ? undefined : await listPeers(context, options)
      })
    })
}

/** What goes to another machine goes encrypted, or not at all. */
function readAddress(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new InputError(`Cannot exchange history with "${given}" as that is no address of a server`, {
      remedy: 'Write it as in https://memory.example.com; "verbatim migrate" copies to a database or a directory',
    })
  if (url.username !== '' || url.password !== '')
    throw new InputError('Cannot take a user or a password in the address', {
      remedy: 'Set VERBATIM_SYNC_TOKEN to an access token of the other store',
    })
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, '')))
    throw new InputError(`Cannot exchange history with "${given}" as nothing would be encrypted on the way`, {
      remedy: 'Use https, or a tunnel that begins on this machine, as in ssh -L 8377:localhost:8377',
    })
  // Others read it in "verbatim sync", and in the report.
  return `${url.origin}${url.pathname.replace(/\/(mcp\/?)?$/, '')}`
}

async function asNew({ verbatim, caller }: CommandContext): Promise<void> {
  await verbatim.stores.database.run((sql) => renameStore(sql, caller.tenantId))
  process.stderr.write('This store is another one from now on than those that its files were copied from or to.\n')
}

async function exchange(
  { verbatim, caller, config }: CommandContext,
  { address, options, status }: { readonly address: string; readonly options: Options; readonly status: ExitStatus },
): Promise<void> {
  const { syncWith } = await import('../../sync/sync-with.ts')
  const { database, archive } = verbatim.stores
  const progress = await startProgress('exchanging', 0)
  const store = { database, archive, erasures: verbatim.erasures, caller, version: packageVersion() }
  const report = await syncWith(store, { url: address, token: config.syncToken }, (count) => progress.add(count))
  progress.stop()
  if (report.problem_count > 0) status.code = exitCodes.problems
  return options.json === true ? printJson(report) : print(render(report))
}

function render({ peer, sessions, received, sent, problem_count: count, problems }: SyncReport): string {
  const lines = problems.map(({ session_id: session, problem }) => `PROBLEM ${session}: ${problem}`)
  if (count > problems.length) lines.push(`PROBLEM ${onlyCounted(count - problems.length)}`)
  const changes = ({ messages, sessions: made, edits, erasures }: SyncReport['sent']) =>
    `${counted(messages, 'message')}, ${counted(made, 'new session')}, ${counted(edits, 'change')} of titles, tags and so on, ${counted(erasures, 'erasure')}`
  lines.push(`received: ${changes(received)}`, `sent: ${changes(sent)}`)
  const moved = received.moved + sent.moved
  if (moved > 0)
    lines.push(
      `NOTE ${counted(moved, 'message')} ${agreed(moved, 'has', 'have')} another number now, as both stores went on with their sessions apart`,
    )
  const filled = received.filled + sent.filled
  if (filled > 0)
    lines.push(
      `NOTE ${counted(filled, 'message')} came into ${agreed(filled, 'a place', 'places')} that another store's retention had emptied`,
    )
  const namesakes = received.namesakes + sent.namesakes
  if (namesakes > 0)
    lines.push(
      `NOTE ${counted(namesakes, 'session')} came under a name that another one has, and got ${agreed(namesakes, 'its id', 'their ids')} behind it, or the others did: where both are of a transcript that was imported at both stores, it is there twice (docs/sync.md)`,
    )
  if (sessions.pending > 0)
    lines.push(
      `NOTE ${counted(sessions.pending, 'session')} ${agreed(sessions.pending, 'waits, as something of it', 'wait, as something of them')} is still being erased: run it again`,
    )
  if (sessions.erased > 0)
    lines.push(
      `NOTE ${counted(sessions.erased, 'session')} ${agreed(sessions.erased, 'is erased at one of the two, and stays so', 'are erased at one of the two, and stay so')}`,
    )
  if (sessions.apart > 0)
    lines.push(
      `NOTE in ${counted(sessions.apart, 'session')} some messages are erased at one of the two alone, by its retention or as the other holds them`,
    )
  const equal = sessions.equal + sessions.unchanged
  lines.push(
    `equal with ${peer.url}: ${counted(equal, 'session')}, ${sessions.unchanged} of them unchanged since the last time`,
  )
  return `${lines.join('\n')}\n`
}

async function listPeers({ verbatim, caller }: CommandContext, { json }: Options): Promise<void> {
  const peers = await verbatim.stores.database.run((sql) => readPeers(sql, caller.tenantId))
  if (json === true) return printJson(peers)
  if (peers.length === 0)
    return print('The history was exchanged with no other store yet: verbatim sync https://memory.example.com\n')
  return print(
    table(
      ['store', 'last exchanged', 'last failure'],
      peers.map(({ url, lastSyncAt, lastError }) => [url, lastSyncAt ?? 'never', lastError ?? '']),
    ),
  )
}
