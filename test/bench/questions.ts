import type { Question } from '../../bench/recall/dataset.ts'

/** A question about a conversation, with what a test does not care about filled in. */
export function makeQuestion(about: Partial<Question> = {}): Question {
  return { conversation: 'c', index: 0, category: '1', question: 'Who?', gold: ['a'], goldSessions: [1], ...about }
}
