import { dirname } from 'node:path'

import { InputError } from '../../errors.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import type { Place } from '../../setup/clients.ts'
import { openclawPlugin, rowsPutAside } from '../../setup/openclaw-plugin.ts'
import { commandName } from '../command-name.ts'
import type { Check } from './check.ts'

const name = 'OpenClaw plugin'

/** All of them, as a shell reads it. */
function globsOf(aside: readonly string[]): string {
  return [...new Set(aside.map((path) => `"${dirname(path)}"/*.rejected`))].join(' ')
}

/** OpenClaw keeps conversations from a plugin that it was not told to trust, and says nothing. */
export async function checkOpenclaw(place: Place): Promise<Check[]> {
  try {
    const plugin = await openclawPlugin(place)
    if (plugin === 'absent') return []
    const aside = await rowsPutAside(place)
    const [first] = aside
    const checks: Check[] = []
    if (first !== undefined)
      checks.push({
        name: 'OpenClaw rows',
        state: 'problem',
        message: `${counted(aside.length, 'file')} of rows ${agreed(aside.length, 'was', 'were')} put aside as they could not be stored; they are kept: ${first}${aside.length === 1 ? '' : ', …'}`,
        remedy: `Run: ${commandName()} import --rows-only --format openclaw ${globsOf(aside)}, which says why; remove them once they are imported`,
      })
    if (plugin === 'allowed') return [{ name, state: 'ok', message: 'may see conversations' }, ...checks]
    return [
      ...checks,
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
