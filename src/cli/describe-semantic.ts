import { counted } from '../model/text/counted.ts'
import type { StoreStatus } from '../sessions/status.ts'

/** How far search by meaning is, in one line. */
export function describeSemantic(semantic: StoreStatus['semantic_search']): string {
  const { state, model, vectors, messages_behind: behind, failed_for_good: failed } = semantic
  if (state === 'off') return 'off'
  const parts = [
    model === undefined
      ? 'starting'
      : `${model.provider} ${model.name}, ${counted(model.dimensions, 'dimension')}, ${counted(vectors, 'vector')}`,
    ...(behind === 0 ? [] : [`${counted(behind, 'message')} behind`]),
    ...(failed === 0 ? [] : [`${failed} failed for good`]),
    ...(semantic.waits_for === undefined ? [] : [`waits: ${semantic.waits_for}`]),
  ]
  return parts.join(', ')
}
