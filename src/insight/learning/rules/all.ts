import { aboutWork, decisions, procedures } from './outcomes.ts'
import { aboutSelf } from './people.ts'
import type { Rule } from './rule.ts'
import { preferences } from './wishes.ts'

/** In the order in which they are tried: the first that fits counts. */
export const rules: readonly Rule[] = [...aboutSelf, ...aboutWork, ...preferences, ...decisions, ...procedures]
