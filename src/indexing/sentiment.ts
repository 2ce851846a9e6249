/** Characters that are scored: the mood of a longer text is not better known from more, and scoring 4,000 cost half of all indexing. */
const scoredCharacters = 600

/**
 * How positive (up to 1) or negative (down to -1) the words of an English text are, rounded to three places; 0 is neutral.
 * It is the AFINN-165 word list of wink-sentiment with its handling of negation: a count of words, blind to irony and to
 * who is meant. Null for every other language, as no list was found for them, and for text that is mostly code, logs or data.
 */
export async function sentimentOf(text: string, language: string | null): Promise<number | null> {
  if (language !== 'en') return null
  const sample = withoutCode(text.slice(0, scoredCharacters))
  if (!isProse(sample)) return null
  // The word list is 76 KB of source that a process which saves nothing never needs.
  const { default: sentiment } = await import('wink-sentiment')
  const { normalizedScore } = sentiment(sample)
  return Math.round(Math.max(-1, Math.min(1, normalizedScore / 5)) * 1_000) / 1_000
}

function withoutCode(text: string): string {
  return text
    .replace(/```[^`]*(?:```|$)/gu, ' ')
    .replace(/`[^`\n]*`/gu, ' ')
    .replace(/https?:\/\/\S+/gu, ' ')
}

/** Prose is letters and spaces for the most part, and has at least two words. */
function isProse(text: string): boolean {
  const visible = text.replace(/\s+/gu, '')
  const letters = text.match(/[\p{L}\p{Extended_Pictographic}]/gu)?.length ?? 0
  const words = text.match(/\p{L}{2,}/gu)?.length ?? 0
  return words >= 2 && letters >= 0.75 * visible.length
}
