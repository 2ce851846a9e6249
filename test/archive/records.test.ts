import { getTableColumns, type Table } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'

import { importFileRecordSchema } from '../../src/store/archive/archived-files.ts'
import { messageRecordSchema } from '../../src/store/archive/archived-messages.ts'
import { sessionRecordSchema, summaryRecordSchema } from '../../src/store/archive/archived-session.ts'
import { summaries } from '../../src/store/schema/insight.ts'
import { importFiles, messages, sessions } from '../../src/store/schema/sessions.ts'

/** What follows from where a row is stored, is archived beside its record, or counts what happens in one store (how often it was restricted). */
const elsewhere: Readonly<Record<string, readonly [Table, { shape: object }, readonly string[]]>> = {
  sessions: [sessions, sessionRecordSchema, ['tenant_id', 'active_hour', 'key_version', 'restrictions', 'erasing_at']],
  messages: [messages, messageRecordSchema, ['tenant_id', 'session_id', 'key_version', 'payload', 'text', 'metadata']],
  summaries: [summaries, summaryRecordSchema, ['tenant_id', 'session_id', 'key_version']],
  import_files: [importFiles, importFileRecordSchema, ['tenant_id', 'key_version']],
}

describe('what is archived', () => {
  it.each(Object.entries(elsewhere))('is every column of %s', (_name, [table, { shape }, others]) => {
    const columns = Object.values(getTableColumns(table)).map(({ name }) => name)
    expect([...Object.keys(shape), ...others].toSorted()).toEqual(columns.toSorted())
  })
})
