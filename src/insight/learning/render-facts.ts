import { fence } from '../../model/fence.ts'
import type { FactDocument } from './list-facts.ts'

/** What was learned as one reads it, each with its id and a message that it comes from; '' where there is nothing. */
export function renderFacts(facts: readonly FactDocument[]): string {
  if (facts.length === 0) return ''
  const lines = facts.map((fact) => {
    const { id, kind, text, said_by: saidBy, project, since } = fact
    const [source] = fact.sources
    const where = source === undefined ? '' : `, message ${source.message_id} ([${source.seq}] of ${source.session_id})`
    const place = project === undefined ? '' : ` in ${project}`
    return `${kind}${place}: ${text} — ${saidBy}${since === null ? '' : `, ${since.slice(0, 10)}`}${correction(fact)}, fact ${id}${where}`
  })
  return fence(lines.join('\n'), 'facts')
}

/** Whose words it has, where they are not those of who said it. */
function correction({ corrected_by: by, corrected_through: through }: FactDocument): string {
  if (by === undefined) return ''
  return through === undefined ? `, as ${by} wrote it` : `, as ${by} wrote it through ${through}`
}
