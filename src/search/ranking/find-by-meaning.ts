import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import type { SearchMode } from '../../model/search-mode.ts'
import type { Database } from '../../store/database.ts'
import type { UnitFilter } from '../../store/search/unit-filter.ts'
import { searchByMeaning, type SemanticDependencies, type SemanticResult } from './semantic.ts'
import { vectorScope } from './vector-filter.ts'
import { weights as usualWeights, type Weights } from './weights.ts'

/** The nearest by meaning that are asked for, parts of long messages among them. */
const nearestMax = 100

/** What is near in meaning to a text. */
export interface FoundByMeaning extends SemanticResult {
  /** Messages that could be found; undefined where those are all of the index. */
  readonly messages?: number | undefined
}

interface MeaningDependencies {
  readonly database: Database
  /** Absent where no embedder is configured. */
  readonly semantic?: Omit<SemanticDependencies, 'database'> | undefined
  readonly weights?: Weights | undefined
}

interface MeaningRequest extends Viewer {
  readonly filter: UnitFilter
  readonly mode: SearchMode
}

/** Finds what is near in meaning to a text, as far as it may be seen. Never fails: the state says what was not to be had. */
export async function findByMeaning(
  { database, semantic, weights = usualWeights }: MeaningDependencies,
  request: MeaningRequest,
  { text, waitMs }: { readonly text: string; readonly waitMs: number },
): Promise<FoundByMeaning> {
  if (semantic === undefined || request.mode === 'full_text') return { state: 'off', lists: [] }
  const scope = await vectorScope(database, request, request.filter)
  const found = await searchByMeaning(
    { ...semantic, database },
    {
      tenantId: request.tenantId,
      text,
      filter: scope.filter,
      weights,
      limit: scope.isPartial ? limits.vectorMatchesMax : nearestMax,
      waitMs,
      isAlone: request.mode === 'semantic',
    },
  )
  return { ...found, messages: scope.isPartial ? Infinity : scope.messages }
}
