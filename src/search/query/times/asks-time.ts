import { plausibleLanguages } from '../../../indexing/terms/language.ts'
import { isStopWord } from '../../../indexing/terms/stop-words.ts'
import { tokenize } from '../../../indexing/terms/tokenize.ts'
import { findAsking, withoutSpans } from '../asking-phrases.ts'
import type { QueryTimes } from './query-dates.ts'

/** What is asked of a time and of nothing in it: "what happened", "what was I working on", "since when", "besprochen". */
const anythingDone =
  /(?<!\p{L})(?:happen(?:ed|ing)?|went on|going on|done|do|work(?:ed|ing)?(?: on)?|discuss(?:ed)?|talk(?:ed)?(?: about)?|sa(?:y|id)|ask(?:ed)?|decided?|summari[sz]e|recap|everything|anything|something|conversations?|sessions?|chats?|since|earlier|later|during|last|['’]s|besprochen|gemacht|passiert|geschehen|geschah|gesagt|geredet|gesprochen|entschieden|worüber|los|seit|gespräche?|(?:qu['’])?(?:avons|avez|as|a-t)-(?:nous|vous|tu|on)|qu['’]est-ce|s['’]est|discuté|parlé|fait|passé|dit|décidé|depuis|hemos|hablamos|hablado|discutimos|hicimos|hecho|pasó|dijimos|dijo|decidimos|desde|después|antes|hasta|durante|au cours|up to|fizemos|falamos|conversamos|dissemos|aconteceu|depois|até|abbiamo|discusso|parlato|fatto|detto|deciso|successo|besproken|gedaan|gezegd|besloten|gebeurd)(?!\p{L})/giu

/** Whether a query asks for a time alone: without the words that name it nothing is left that a message could be looked for by. */
export function asksOnlyTime({ spans, rest }: QueryTimes): boolean {
  if (spans.length === 0) return false
  const left = withoutSpans(rest, findAsking(rest)).replaceAll(anythingDone, ' ')
  const languages = plausibleLanguages(rest).slice(0, 1)
  return tokenize(left, { language: null, stems: false }).every(({ term }) => isStopWord(term, languages))
}
