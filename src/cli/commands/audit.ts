import type { Command } from 'commander'

import { readAudit, type AuditEntry } from '../../audit/read-audit.ts'
import { resolveSession } from '../../capture/session-reference.ts'
import { InputError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { looksLikeId } from '../../model/ids.ts'
import { parseSpan } from '../../model/validate.ts'
import { withStore, type CommandContext } from '../context.ts'
import type { ExitStatus } from '../exit-codes.ts'
import { print, table } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'
import { writeNewFile } from '../write-new-file.ts'
import { registerAuditAcceptKey, registerAuditClose, registerAuditVerify } from './audit-verify.ts'

interface Span {
  readonly since?: string
  readonly until?: string
}

interface ExportOptions extends Span {
  readonly output?: string
}

interface AccessOptions extends Span {
  readonly message?: number
  readonly json?: boolean
}

export function registerAudit(program: Command, status: ExitStatus): void {
  const audit = program.command('audit').description('the record of who did what')
  registerAuditVerify(program, audit, status)
  registerAuditClose(program, audit)
  registerAuditAcceptKey(program, audit)
  audit
    .command('export')
    .description('write the record out, a JSON object in each line')
    .option('--since <time>', 'rows from this time on (ISO 8601)')
    .option('--until <time>', 'rows before this time (ISO 8601)')
    .option('--output <path>', 'a new file to write to instead of stdout')
    .action(async ({ output, ...span }: ExportOptions) => {
      const read = parseSpan(span)
      await withStore(program, async ({ verbatim, caller }) => {
        const lines = linesOf(readAudit(verbatim.stores.database, caller, read))
        if (output !== undefined) return writeNewFile(output, lines)
        for await (const line of lines) await print(line)
        return undefined
      })
    })
  audit
    .command('who-accessed')
    .description('who did something with a session or was shown something of it; without one, of all sessions')
    .argument('[session]', 'its id, ours or the source’s own; of one that was erased, ours')
    .option('--message <seq>', 'one message of the session, by its number', wholeNumber(1, limits.sessionMessagesMax))
    .option('--since <time>', 'from this time on (ISO 8601)')
    .option('--until <time>', 'before this time (ISO 8601)')
    .option('--json', 'a JSON object in each line')
    .action(async (reference: string | undefined, { message, json, ...span }: AccessOptions) => {
      if (reference === undefined && message !== undefined)
        throw new InputError('Cannot look for a message without its session', {
          remedy: 'Name the session too: numbers begin anew in each',
        })
      const read = parseSpan(span)
      await withStore(program, async (context) => {
        const { verbatim, caller } = context
        const subject =
          reference === undefined ? undefined : { sessionId: await idOf(context, reference), seq: message }
        const entries = accessesIn(readAudit(verbatim.stores.database, caller, { ...read, subject }))
        if (json === true) for await (const line of linesOf(entries)) await print(line)
        else await tell(entries)
      })
    })
}

/** A session that was erased is still one that was accessed. */
async function idOf({ verbatim, caller }: CommandContext, reference: string): Promise<string> {
  const session = await resolveSession(verbatim.stores.database, caller, reference)
  if (session !== undefined) return session.id
  if (looksLikeId(reference)) return reference.toLowerCase()
  throw new InputError(`No session "${reference}"`, {
    remedy: 'Of a session that was erased only our own id is known: audit export has it',
  })
}

async function* accessesIn(entries: AsyncIterable<AuditEntry>): AsyncGenerator<AuditEntry> {
  for await (const entry of entries)
    if (entry.object_kind === 'session' || (entry.objects ?? []).length > 0) yield entry
}

async function* linesOf(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`
}

/** As many lines as one looks at at once; the columns of each such part line up. */
const linesPerTable = 500
const header = ['when', 'who', 'token', 'by', 'did', 'outcome', 'what']

async function tell(entries: AsyncIterable<AuditEntry>): Promise<void> {
  let rows: string[][] = []
  let count = 0
  const flush = async () => {
    if (rows.length > 0) await print(`${table(header, rows)}\n`)
    rows = []
  }
  for await (const entry of entries) {
    count++
    rows.push([
      entry.at,
      entry.actor,
      entry.token ?? entry.token_id ?? '-',
      entry.client ?? '-',
      entry.tool ?? entry.action,
      outcomeOf(entry),
      objectsOf(entry),
    ])
    if (rows.length === linesPerTable) await flush()
  }
  await flush()
  if (count === 0) await print('Nobody.\n')
}

function outcomeOf({ outcome, reason }: AuditEntry): string {
  return reason === undefined ? outcome : `${outcome} (${reason})`
}

function objectsOf({ objects = [], object_id: id }: AuditEntry): string {
  return objects.length > 0 ? objects.join(' ') : (id ?? '-')
}
