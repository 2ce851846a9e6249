import { boundsOf } from './calendar-bounds.ts'
import { numberOf, timeBefore, unitOf } from './counted-units.ts'
import type { Bounds } from './time-bounds.ts'
import { without } from './time-words.ts'

/** "The last days" are as many as "the last few days". */
const few = 3
const [count, further] = ['count', 'further'].map((name) => String.raw`(?:(?<${name}>\d{1,3}|\p{L}+)\s+)?`)

/**
 * What lasts until now, in words that chrono-node does not read, or not so: "ces trois derniers jours", "los últimos 3 días". Of something, as the
 * last days of Pompeii, it is no time.
 */
const recent = [
  String.raw`(?:(?:the|these)\s+(?:last|past|recent)|recent)\s+(?<unit>days|weeks|months)`,
  String.raw`(?:d(?:en|ie|er)\s+)?(?:letzte[nr]?|vergangene[nr]?)\s+${count}(?<unit>tagen?|wochen|monaten?|jahren?|stunden)`,
  String.raw`(?:[cld]es|aux)\s+${count}derni(?:er|ère)s\s+${further}(?<unit>jours|semaines|mois|années|ans|heures)`,
  String.raw`(?:l[oa]s|est[oa]s|[nd]?[oa]s)\s+${count}[uú]ltim[oa]s\s+${further}(?<unit>d[ií]as|semanas|meses|a[ñn]os|horas)`,
  String.raw`(?:el|la|[nd]?[oa])\s+[uú]ltim[oa]\s+(?<unit>semana|m[eê]s|a[ñn]o)`,
  String.raw`(?:n?egli|(?:nel)?le|gli)\s+ultim[ie]\s+${count}(?<unit>giorni|settimane|mesi|anni|ore)`,
  String.raw`de\s+(?:afgelopen|laatste)\s+${count}(?<unit>dagen|weken|maanden|jaren|uur)`,
].map(
  (words) =>
    new RegExp(
      String.raw`(?<!\p{L})(?:${words})(?!\p{L}|\s+(?:of|de[lrs]?|du|d[ao]s?|dell[ao'’]|d['’]|van|von|vom)(?:(?<=['’])|(?!\p{L})))`,
      'iu',
    ),
)

/** Those that a query names, and what is left of it. */
export function recentTimes(query: string, now: Date): { readonly bounds: readonly Bounds[]; readonly rest: string } {
  for (const words of recent) {
    const match = words.exec(query)
    if (match === null) continue
    const { count: before, further: after, unit = '' } = match.groups ?? {}
    const counted = before ?? after
    const number = counted === undefined ? (isOne(unit) ? 1 : few) : numberOf(counted)
    const known = unitOf(unit)
    if (number === undefined || known === undefined) continue
    const { fromMs } = boundsOf(timeBefore(now, known, number), now)
    return { bounds: [{ fromMs }], rest: without(query, { index: match.index, text: match[0] }) }
  }
  return { bounds: [], rest: query }
}

/** "La última semana". */
function isOne(unit: string): boolean {
  return /^(?:semana|m[eê]s|a[ñn]o)$/iu.test(unit)
}
