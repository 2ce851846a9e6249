import { encode } from 'gpt-tokenizer/encoding/o200k_base'

import { allTools } from '../src/mcp/tool-list.ts'
import type { Bench } from './bench.ts'
import type { Figure } from './figure.ts'
import { sum } from './measure.ts'

const tokensMax = 2_000

/** Tokens of each tool as `tools/list` gives it: what a host may put in front of the model in every session. */
export const toolsBench: Bench = {
  name: 'tools',
  async run() {
    const tokens = allTools.map(({ run: _run, ...listing }) => ({
      name: listing.name,
      value: encode(JSON.stringify(listing)).length,
    }))
    const figures: Figure[] = tokens.map(({ name, value }) => ({ name, value, unit: 'tokens' }))
    const total = sum(tokens.map(({ value }) => value))
    return {
      bench: 'tools',
      figures: [
        ...figures,
        { name: 'all tools', value: total, unit: 'tokens', bound: { of: 'value', atMost: tokensMax } },
      ],
      notes: [
        'Tokens of the encoding o200k_base, output schemas and annotations included, which many hosts leave out.',
      ],
    }
  },
}
