import { expect, test } from 'vitest'

import { useHome } from './support/home.ts'

const home = useHome()

test('a view without personal data knows the names that a model has found in the last of 1,001 messages', async () => {
  home.settings = { ...home.settings, VERBATIM_ENCRYPTION: 'off' }
  const tools = await home.tools()
  const messages = Array.from({ length: 1_001 }, (_, at) => ({
    content: at === 1_000 ? 'then quorblax the baker came' : 'nothing',
    sender: 'user',
  }))
  for (let at = 0; at < messages.length; at += 500)
    await tools.saveAll({ session_id: 'long', messages: messages.slice(at, at + 500) })
  const store = home.database()
  await store.sql`
    insert into message_names (tenant_id, id, session_id, body, is_whole, made_by, key_version)
    select tenant_id, id, session_id, convert_to(jsonb_build_array(jsonb_build_object('type', 'person', 'name',
      case seq when 1001 then 'quorblax' else 'name' || seq end))::text, 'UTF8'), true, 'a test', 0
    from messages where seq <> 700`
  await store.close()
  const { stdout } = await home.cli(['export', 'long', '--format', 'jsonl', '--view', 'redacted'])
  expect(stdout.trimEnd().split('\n')).toHaveLength(1_001)
  expect(stdout).toContain('then [person] the baker came')
  expect(stdout).not.toContain('quorblax')
})
