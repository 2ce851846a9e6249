import type { Config, EmbedderSettings } from '../../config.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import type { StoreStatus } from '../../sessions/status.ts'
import { describeSemantic } from '../describe-semantic.ts'
import type { Check } from './check.ts'

/** How far search by meaning is, and what keeps it from going on. */
export function checkSemantic(
  semantic: StoreStatus['semantic_search'],
  { store, embedder }: Pick<Config, 'store' | 'embedder'>,
): Check[] {
  const name = 'semantic search'
  if (semantic.state === 'off') return [{ name, state: 'note', message: 'off: words are searched, meaning is not' }]
  const checks: Check[] = [
    { name, state: semantic.messages_behind === 0 ? 'ok' : 'note', message: describeSemantic(semantic) },
  ]
  // On a server the worker makes the vectors, by settings that a command need not have.
  if (store.kind === 'embedded' && semantic.model !== undefined && isAnother(semantic.model, embedder))
    checks.push({
      name,
      state: 'note',
      message: 'the settings of this command name another model than the one in use',
      remedy:
        'The background process makes the vectors by the settings that it was started with. It leaves VERBATIM_IDLE_MINUTES after its last client, and the next one embeds everything by the other model',
    })
  if (semantic.waits_for !== undefined)
    checks.push({
      name,
      state: 'problem',
      message: semantic.waits_for,
      remedy: 'It goes on by itself when the provider answers; words are searched meanwhile',
    })
  if (semantic.failed_for_good > 0)
    checks.push({
      name,
      state: 'problem',
      message: `${counted(semantic.failed_for_good, 'message')} ${agreed(semantic.failed_for_good, 'was', 'were')} refused by the embedder for good`,
      remedy: 'They are found by their words. Run "verbatim reindex --vectors" to try them again',
    })
  return checks
}

/** Whether a model is another than the settings choose, as far as these name one. */
function isAnother(model: { readonly provider: string; readonly name: string }, settings: EmbedderSettings): boolean {
  if (settings.kind === 'none') return false
  const name = 'model' in settings ? settings.model : undefined
  return model.provider !== settings.kind || (name !== undefined && model.name !== name)
}
