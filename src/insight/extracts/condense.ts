import { type SummaryStyle, summaryStyles } from '../../model/summary-style.ts'
import type { Candidate, CondensedSentence } from './candidates.ts'
import { OpenQuestions } from './cues/open-questions.ts'
import { lexRank } from './lexrank.ts'
import { rememberingLexRank, Tournament } from './rank.ts'

/** How many sentences stand for a segment in a summary. */
const sentencesMax: Readonly<Record<SummaryStyle, number>> = { brief: 40, detailed: 80, decisions: 40, handoff: 40 }
/** And of the questions that nobody answered in it. */
const openMax = 3

/**
 * Condenses a segment of a conversation to the sentences of which summaries in any style can be made later, without its messages: the
 * first of two levels of hierarchical extractive summarisation (the parts are summarised, and then their summaries), with LexRank
 * (Erkan and Radev 2004) among the sentences of each level.
 */
export class Condenser {
  readonly #rankSentences = rememberingLexRank()
  readonly #tournaments = summaryStyles.map((style) => ({
    style,
    // Of decisions fewer sentences are ranked: the others have the same.
    tournament: new Tournament(style, style === 'decisions' ? lexRank : this.#rankSentences),
  }))
  readonly #questions = new OpenQuestions()
  #count = 0

  /** Takes the next sentence of the segment. */
  add(candidate: Omit<Candidate, 'order'>): void {
    const placed = { ...candidate, order: this.#count++ }
    for (const { tournament } of this.#tournaments) tournament.add(placed)
    this.#questions.see(placed)
  }

  /** In the order of the conversation. */
  sentences(): readonly CondensedSentence[] {
    const kept = new Map<Candidate, SummaryStyle[]>()
    for (const { style, tournament } of this.#tournaments) {
      for (const candidate of tournament.best(sentencesMax[style])) {
        const styles = kept.get(candidate) ?? []
        kept.set(candidate, [...styles, style])
      }
    }
    for (const candidate of this.#questions.last(openMax)) {
      const styles = kept.get(candidate) ?? []
      if (!styles.includes('handoff')) kept.set(candidate, [...styles, 'handoff'])
    }
    return [...kept]
      .toSorted(([a], [b]) => a.order - b.order)
      .map(([{ text, messageId, seq, sender, role, language }, styles]) => {
        return { text, messageId, seq, sender, role, language, styles }
      })
  }
}
