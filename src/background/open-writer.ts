import { GuardedGenerator } from '../adapters/generators/guarded-generator.ts'
import { ObservedGenerator } from '../adapters/generators/observed-generator.ts'
import { openGenerator } from '../adapters/generators/open-generator.ts'
import { PatientGenerator } from '../adapters/generators/patient-generator.ts'
import type { Config, GeneratorSettings } from '../config.ts'
import { BudgetedGenerator } from '../indexing/budgeted-generator.ts'
import { DailyBudget } from '../indexing/daily-budget.ts'
import type { Observer } from '../ports/observer.ts'
import type { Database } from '../store/database.ts'

/** A model that writes, each try within the budget of the day. */
export function openWriter(
  settings: GeneratorSettings,
  {
    database,
    observer,
    dailyTokens,
  }: { readonly database: Database; readonly observer: Observer } & Pick<Config, 'dailyTokens'>,
): GuardedGenerator {
  const budget = new DailyBudget(database, dailyTokens)
  const budgeted = new BudgetedGenerator(new ObservedGenerator(openGenerator(settings), observer), budget)
  return new GuardedGenerator(new PatientGenerator(budgeted))
}
