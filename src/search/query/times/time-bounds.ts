const yearMs = 365 * 86_400_000
const earliestMs = Date.UTC(1900, 0, 1)

/** From the one and until before the other, in milliseconds since 1970. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

/** Of "since Friday" only from when, of "before Friday" only until when. */
export interface Bounds {
  readonly fromMs?: number
  readonly toMs?: number
}

/** "In the last few days", "the past week": they are not over. */
const untilNow =
  /(?<!\p{L})(?:(?:last|past|previous|letzten|vergangenen|derni(?:er|ère)s|últim[oa]s)\s+(?:[\p{L}\p{N}]+\s+){0,3}(?:days|weeks|months|years|hours?|minutes|tagen?|wochen|monaten?|jahren?|stunden?|minuten|jours|semaines|mois|années|ans|heures|d[ií]as|semanas|meses|a[ñn]os|horas|minutos)|past\s+(?:day|week|month|year)|(?:last|past)\s+(?:hour|minute))$/iu
/** Words that say how the time after them is meant, in some languages with an article in between. */
const beforeTime = (words: string) =>
  new RegExp(`(?<!\\p{L})(?:${words})(?:\\s+(?:the|dem|der|den|le|la|el))?\\s*$`, 'iu')
const since = beforeTime(
  'since|(?:no|not) earlier than|not before|seit|ab|depuis|à partir du|desde|a partir del?|sedan|sinds|с',
)
const until = beforeTime(
  "until|till|up to|by|(?:no|not) later than|not after|bis(?: zum)?|spätestens(?: am)?|jusqu['’](?:au?|à)|hasta|até",
)
const after = beforeTime('after|later than|nach|après|después del?|depois de|após|dopo')
const before = beforeTime('before|earlier than|prior to|vor|avant|antes del?|prima del?')
/** "After 3 March until 10 March": a range whose ends are not joined by a hyphen or a "to" alone. */
const joinedByUntil = /(?<!\p{L})(?:until|till|bis|jusqu|hasta|até)(?!\p{L})/iu

/**
 * What is asked of a time: "since Friday" begins with it, "after Friday" when it is over, "until Friday" ends with it, "before Friday" when it
 * begins; "the last two weeks" are not over. Of a range from one day to another both ends are said.
 */
export function boundsMeant(
  { fromMs, toMs }: TimeSpan,
  {
    before: upTo,
    said,
    firstEndsMs,
  }: { readonly before: string; readonly said: string; readonly firstEndsMs?: number },
): Bounds {
  const isRange = firstEndsMs !== undefined
  if (untilNow.test((upTo + said).trimEnd())) return { fromMs }
  if (since.test(upTo)) return isRange ? { fromMs, toMs } : { fromMs }
  if (until.test(upTo)) return { toMs }
  if (after.test(upTo)) return isRange && joinedByUntil.test(said) ? { fromMs: firstEndsMs, toMs } : { fromMs: toMs }
  return before.test(upTo) ? { toMs: fromMs } : { fromMs, toMs }
}

/**
 * From when until when the times are that have such bounds. What has no end lasts until the one that is said beside it, "after Friday and before
 * Monday", or until now, as where that end is still to come. What has no beginning is none by itself, nor
 * what no message can be of: "3000 years ago".
 */
export function spansWithin(bounds: readonly Bounds[], now: Date): TimeSpan[] {
  const latestMs = now.getTime() + 100 * yearMs
  const ends = bounds.flatMap(({ fromMs, toMs }) => (fromMs === undefined && toMs !== undefined ? [toMs] : []))
  return bounds
    .flatMap(({ fromMs, toMs }) => {
      if (fromMs === undefined) return []
      const endMs = toMs ?? ends.shift()
      const isToCome = endMs === undefined || endMs < fromMs
      return [{ fromMs, toMs: isToCome && toMs === undefined ? now.getTime() + 1 : (endMs ?? fromMs) }]
    })
    .filter(({ fromMs, toMs }) => fromMs >= earliestMs && fromMs < toMs && toMs <= latestMs)
}
