import type { Command } from 'commander'

import { InputError } from '../../errors.ts'
import { readRanking, resetRanking, type RankingDocument } from '../../insight/ranking/learned-ranking.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { withStore } from '../context.ts'
import { print, printJson, table } from '../output.ts'

const dateCharacters = 10

function introduction(ranking: RankingDocument, isOn: boolean): string {
  const { searches, searches_needed: needed, callers, since, until, gain } = ranking
  const period = since === null ? '' : `, ${since.slice(0, dateCharacters)} to ${until?.slice(0, dateCharacters)}`
  const from = `${counted(searches, 'search', 'searches')} with a result that was opened or cited, of ${counted(callers, 'caller')}${period}`
  const why =
    ranking.state === 'learned'
      ? `On searches that were held back they put used results higher, by ${((gain ?? 0) * 100).toFixed(1)} % of the discounted gain.`
      : gain === null
        ? `Below ${needed} such searches, repeated ones counting less, nothing is learned.`
        : 'Others did no better, beyond chance, on searches that were held back.'
  const lines = [
    `The ${ranking.state === 'learned' ? 'learned' : 'usual'} weights hold.`,
    `Known: ${from}. ${why}`,
    ...(ranking.is_behind ? ['Something was used since that is not learned from yet.'] : []),
    ...(isOn ? [] : ['VERBATIM_RANKING_LEARNING is off: nothing is noted, and searches use the usual weights.']),
  ]
  return lines.join('\n')
}

function rendered(ranking: RankingDocument, isOn: boolean): string {
  const rows = ranking.parts.flatMap(({ part, factor, weights }) =>
    weights.map(({ name, usual, now }, index) => [
      index === 0 ? part : '',
      index === 0 ? factor : '',
      name,
      usual,
      now,
    ]),
  )
  return `${introduction(ranking, isOn)}\n\n${table(['part', 'factor', 'weight', 'usual', 'now'], rows)}\n`
}

export function registerRanking(program: Command): void {
  const ranking = program
    .command('ranking')
    .description('what was learned for the order of search results from which of them were opened or cited')
  ranking
    .command('show')
    .description('the weights, their usual values, and from how many searches they were learned')
    .option('--json', 'machine-readable output')
    .action(({ json }: { readonly json?: boolean }) =>
      withStore(program, async ({ config, verbatim, caller }) => {
        const document = await readRanking(verbatim.stores.database, caller)
        return json === true ? printJson(document) : print(rendered(document, config.learnsRanking))
      }),
    )
  ranking
    .command('reset')
    .description('forget which results were used, and go back to the usual weights')
    .option('--yes', 'do it: without, nothing is changed')
    .action(({ yes }: { readonly yes?: boolean }) => {
      if (yes !== true)
        throw new InputError('Nothing was changed as which results were used would be forgotten for good', {
          remedy: 'Add --yes to do it; "verbatim ranking show" shows what there is',
        })
      return withStore(program, async ({ verbatim, caller }) => {
        const searches = await resetRanking(verbatim.stores.database, caller)
        await print(
          `The usual weights hold; ${counted(searches, 'search', 'searches')} ${agreed(searches, 'is', 'are')} forgotten\n`,
        )
      })
    })
}
