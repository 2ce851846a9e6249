import { InputError } from '../errors.ts'
import type { Place } from '../setup/clients.ts'
import { openclawPlugin } from '../setup/openclaw-plugin.ts'
import type { Check } from './check-encryption.ts'

const name = 'OpenClaw plugin'

/** OpenClaw keeps conversations from a plugin that it was not told to trust, and says nothing. */
export async function checkOpenclaw(place: Place): Promise<Check[]> {
  try {
    const plugin = await openclawPlugin(place)
    if (plugin === 'absent') return []
    if (plugin === 'allowed') return [{ name, state: 'ok', message: 'may see conversations' }]
    return [
      {
        name,
        state: 'problem',
        message: 'captures nothing, as OpenClaw shows conversations only to plugins that are allowed to see them',
        remedy: 'Run: openclaw config set plugins.entries.verbatim.hooks.allowConversationAccess true --strict-json',
      },
    ]
  } catch (error) {
    // A file that cannot be read is told of where clients are listed.
    if (error instanceof InputError) return []
    throw error
  }
}
