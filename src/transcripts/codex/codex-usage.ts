import type { TokenUsage } from '../../model/messages/message.ts'
import { countField, field } from '../fields.ts'
import { UsageTotals, type FullUsage } from '../usage.ts'

/** Token counts of a Codex rollout: running totals, of which each entry gets the step. */
export class CodexUsage {
  readonly #totals = new UsageTotals()

  /** Of an `event_msg`: `token_count` with totals, or in some versions `turn.completed`. */
  ofEvent(payload: unknown): TokenUsage | undefined {
    const info = field(payload, 'info')
    const total = field(info, 'total_token_usage') ?? field(payload, 'usage')
    if (total !== undefined) return this.#step(codexUsage(total))
    const last = codexUsage(field(info, 'last_token_usage'))
    if (last !== undefined) return last
    const input = countField(info, 'prompt')
    const output = countField(info, 'completion')
    return this.#step(
      input === undefined && output === undefined ? undefined : full({ input: input ?? 0, output: output ?? 0 }),
    )
  }

  /** Of a `response_item` of type `token_count`, which counts one answer. */
  ofItem(payload: unknown): TokenUsage | undefined {
    return codexUsage(payload)
  }

  #step(total: FullUsage | undefined): TokenUsage | undefined {
    return total === undefined ? undefined : this.#totals.contribution(total)
  }
}

/** `input_tokens` includes what came from the cache; here the two are apart. `output_tokens` includes reasoning. */
function codexUsage(usage: unknown): FullUsage | undefined {
  const input = countField(usage, 'input_tokens')
  const output = countField(usage, 'output_tokens')
  if (input === undefined && output === undefined) return undefined
  const cacheRead = countField(usage, 'cached_input_tokens') ?? 0
  const cacheWrite = countField(usage, 'cache_write_input_tokens') ?? 0
  return { input: Math.max(0, (input ?? 0) - cacheRead), output: output ?? 0, cacheRead, cacheWrite }
}

function full(usage: { readonly input: number; readonly output: number }): FullUsage {
  return { ...usage, cacheRead: 0, cacheWrite: 0 }
}
