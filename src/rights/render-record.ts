import { agreed, counted } from '../model/text/counted.ts'
import type { ProcessingRecord } from './processing-record.ts'

/** A cell of a table of Markdown. */
function cell(value: string | number | null | undefined): string {
  return String(value ?? '–')
    .replaceAll('\\', '\\\\')
    .replaceAll('|', String.raw`\|`)
    .replaceAll(/\s+/g, ' ')
}

function table(header: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows]
  return lines.map((line) => `| ${line.map(cell).join(' | ')} |`).join('\n')
}

/** The record as a page that one reads and files. */
export function renderRecord(record: ProcessingRecord): string {
  const { holdings, encryption } = record
  const retention =
    record.retention.length === 0
      ? 'No policy is set: everything is kept until it is erased.'
      : table(
          ['scope', 'of', 'age, days', 'idle, days', 'messages', 'bytes'],
          record.retention.map((rule) => [
            rule.scope,
            rule.target,
            rule.age_days_max,
            rule.idle_days_max,
            rule.messages_max,
            rule.bytes_max,
          ]),
        )
  const recipients =
    record.recipients.length === 0
      ? 'None: nothing leaves this machine, but to those who read it.'
      : table(
          ['who', 'where', 'gets', 'for'],
          record.recipients.map(({ name, place, receives, purpose }) => [name, place, receives, purpose]),
        )
  const { sessions_encrypted: sealed, sessions_not_encrypted: plain, root_key: rootKey } = encryption
  return `# Record of processing

Memory of the tenant "${cell(record.tenant)}", made by ${record.generated_by} on ${record.generated_at} from the settings in force and what is stored.
Who is responsible, on what legal ground, and where recipients are established is for whoever runs it to add.

## Purposes

${table(
  ['purpose', 'state'],
  record.purposes.map(({ purpose, state }) => [purpose, state]),
)}

## Categories

${table(
  ['category', 'of whom', 'data'],
  record.categories.map(({ category, of, data }) => [category, of, data]),
)}

${table(
  ['what is kept', 'how many'],
  Object.entries(holdings).map(([name, count]) => [name.replaceAll('_', ' '), count]),
)}

${table(
  ['source', 'sessions'],
  record.sources.map(({ source, sessions }) => [source, sessions]),
)}

## Stores

${table(
  ['what', 'where', 'holds'],
  record.stores.map(({ what, place, holds }) => [what, place, holds]),
)}

## Recipients

${recipients}

Who read what is on the audit log: \`verbatim audit who-accessed\`.

## Retention

${retention}

## Encryption at rest

New sessions are ${encryption.setting === 'on' ? '' : 'not '}encrypted; ${counted(sealed, 'session')} ${agreed(sealed, 'is', 'are')} encrypted and ${plain} ${agreed(plain, 'is', 'are')} not.${rootKey === null ? '' : ` The root key is that of ${rootKey}.`}

## Measures

${record.measures.map((measure) => `- ${measure}`).join('\n')}
`
}
