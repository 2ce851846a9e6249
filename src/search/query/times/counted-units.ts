import type { NamedTime } from './query-dates.ts'

export type Unit = 'hour' | 'day' | 'week' | 'month' | 'year'

/** Numbers in words, of the languages of which chrono-node does not read what they count. */
const numbers: readonly (readonly [RegExp, number])[] = [
  [/^(?:une?|una?|uma?|en|ett|一)$/iu, 1],
  [/^(?:deux|dos|zwei|dois|duas|due|twee|två|二|两)$/iu, 2],
  [/^(?:trois|tres|drei|três|tre|drie|三)$/iu, 3],
  [/^(?:quatre|cuatro|vier|quatro|quattro|fyra|四)$/iu, 4],
  [/^(?:cinq|cinco|fünf|cinque|vijf|fem|五)$/iu, 5],
  [/^(?:six|seis|sechs|sei|zes|sex|六)$/iu, 6],
  [/^(?:sept|siete|sieben|sete|sette|zeven|sju|七)$/iu, 7],
  [/^(?:huit|ocho|acht|oito|otto|åtta|八)$/iu, 8],
  [/^(?:neuf|nueve|neun|nove|negen|nio|九)$/iu, 9],
  [/^(?:dix|diez|zehn|dez|dieci|tien|tio|十)$/iu, 10],
  // "A few" is as many as in English.
  [/^(?:quelques|pocos|pocas|paar|wenigen?|einigen?|poucos|poucas|pochi|poche|enkele)$/iu, 3],
]
const units: readonly (readonly [RegExp, Unit])[] = [
  [/^(?:heures?|horas?|stunden?|ore|uur)$/iu, 'hour'],
  [/^(?:days|jours?|d[ií]as?|tagen?|giorni|dagen|dag(?:ar)?|日|天)$/iu, 'day'],
  [/^(?:weeks|semaines?|semanas?|wochen?|settimane|weken|vecka|veckor|週間?|周|星期)$/iu, 'week'],
  [/^(?:months|mois|mes(?:es)?|m[eê]s|monaten?|mesi|maanden|månad(?:er)?|月)$/iu, 'month'],
  [/^(?:ans|années|a[ñn]os?|jahren?|anni|jaren|år|年)$/iu, 'year'],
]

/** What a number says that is written in digits or in a word. Undefined of other words. */
export function numberOf(word: string): number | undefined {
  return /^\d/.test(word) ? Number(word) : numbers.find(([name]) => name.test(word))?.[1]
}

export function unitOf(word: string): Unit | undefined {
  return units.find(([name]) => name.test(word))?.[1]
}

/** So long before now; of months and years the whole. */
export function timeBefore(now: Date, unit: Unit, count: number): NamedTime {
  const at = new Date(now)
  if (unit === 'year') return { year: at.getFullYear() - count }
  if (unit === 'month') at.setMonth(at.getMonth() - count, 1)
  else if (unit === 'hour') at.setHours(at.getHours() - count)
  else at.setDate(at.getDate() - count * (unit === 'week' ? 7 : 1))
  const month = { year: at.getFullYear(), month: at.getMonth() + 1 }
  return unit === 'month' ? month : { ...month, day: at.getDate() }
}
