import { decisions } from './decisions.ts'
import { answerLanguages } from './languages.ts'
import { namesAndHomes } from './names-and-homes.ts'
import { aboutWork, procedures } from './outcomes.ts'
import { aboutSelf } from './people.ts'
import type { Rule } from './rule.ts'
import { states } from './states.ts'
import { preferences } from './wishes.ts'

/** In the order in which they are tried: the first that fits counts. */
export const rules: readonly Rule[] = [
  ...namesAndHomes,
  ...aboutSelf,
  ...states,
  ...aboutWork,
  ...answerLanguages,
  ...preferences,
  ...decisions,
  ...procedures,
]
