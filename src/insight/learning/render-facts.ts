import { patterns } from '../../model/extractors.ts'
import { fence } from '../../model/text/fence.ts'
import { inOneLine } from '../../model/text/one-line.ts'
import type { FactDocument } from './list-facts.ts'

/** What was learned as one reads it, each with its id and a message that it comes from; '' where there is nothing. */
export function renderFacts(facts: readonly FactDocument[]): string {
  if (facts.length === 0) return ''
  const lines = facts.map((fact) => {
    const { id, kind, text, said_by: saidBy, project, since, pinned } = fact
    const [source] = fact.sources
    const where = source === undefined ? '' : `, message ${source.message_id} ([${source.seq}] of ${source.session_id})`
    const place = project === undefined ? '' : ` in ${project}`
    return `${kind}${place}: ${inOneLine(text)} — ${inOneLine(saidBy)}${since === null ? '' : `, ${since.slice(0, 10)}`}${pinned === true ? ', pinned' : ''}${writer(fact)}, fact ${id}${where}`
  })
  return fence(lines.join('\n'), 'facts')
}

/** Whose words it has, where they are not those of who said it. */
function writer({ corrected_by: by, corrected_through: through, made_by: madeBy }: FactDocument): string {
  if (by === undefined && madeBy === patterns) return ''
  if (by === undefined) return madeBy === 'user' ? ', corrected by hand' : `, as ${madeBy} wrote it`
  return through === undefined ? `, as ${by} wrote it` : `, as ${by} wrote it through ${through}`
}
