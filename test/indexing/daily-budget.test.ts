import { expect, it } from 'vitest'

import { DailyBudget } from '../../src/indexing/daily-budget.ts'
import { tokensUsed } from '../../src/store/work/provider-usage.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()

it('the budget of a day is not spent twice by calls that are made at once', async () => {
  const { database } = store.open.stores
  const budgets = [new DailyBudget(database, 50), new DailyBudget(database, 50)]
  const calls = Array.from({ length: 10 }, () => budgets.map((budget, n) => budget.take(`provider ${n}`, 10)))
  const answers = await Promise.allSettled(calls.flat())
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  for (const reason of refused) expect(reason).toMatchObject({ failure: 'over_budget' })
  expect(await database.run((sql) => tokensUsed(sql, new Date()))).toBe(50)
})
