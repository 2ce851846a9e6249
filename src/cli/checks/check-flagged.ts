import type { StoreStatus } from '../../sessions/status.ts'
import { commandName } from '../command-name.ts'
import { describeFlagged } from '../describe-flagged.ts'
import type { Check } from './check.ts'

/** Secrets in the history: they are kept as they were said, and whoever may read it has them. */
export function checkFlagged(flagged: StoreStatus['flagged']): Check[] {
  if (flagged.secrets.messages === 0) return []
  return [
    {
      name: 'secrets',
      state: 'note',
      message: describeFlagged(flagged),
      remedy: `Change those that are in use. Where they are: ${commandName()} sessions --flag secrets`,
    },
  ]
}
