import { expect, test } from 'vitest'

import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'

const home = useHome()

test('doctor names the log in which it stands why work has failed for good', async () => {
  const tools = await home.toolsOfTest()
  await tools.save({ content: 'The harbour opens at six.', sender: 'Ann' })
  expect((await home.cli(['doctor'])).stdout).not.toContain('failed for good')
  await home.inDatabase(`insert into outbox (tenant_id, topic, session_id, first_seq, last_seq, dead_at)
    select tenant_id, 'index', id, 1, 1, now() from sessions`)
  const { code, stdout } = await home.cli(['doctor'])
  expect(code).toBe(1)
  const log = isOnServer ? 'the log of the processes that serve this store' : 'log/daemon.log in the home'
  expect(stdout).toMatch(/PROBLEM +index failures: 1 piece of work failed for good/)
  expect(stdout).toContain(`See ${log}, then run "`)
})
