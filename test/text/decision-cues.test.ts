import { describe, expect, it } from 'vitest'

import { decisionIn } from '../../src/insight/extracts/cues/decision-cues.ts'
import { tellsDecision } from '../../src/insight/learning/extract-facts.ts'

describe('decisionIn()', () => {
  it.each([
    'We decided to use PostgreSQL for the ledger.',
    "Okay, let's go with Redis for sessions.",
    'Final decision: ship on Friday.',
    "I've decided to use the Geocoding API for this purpose, can you show me how?",
    "I'm going with Hetzner for the build servers.",
  ])('is sure of what learning takes for a decision: %s', (sentence) => {
    expect(tellsDecision(sentence, 'user')).toBe(true)
    expect(decisionIn(sentence, 'user')).toBe(1)
  })

  it.each([
    'I am trying to design an app, and I have chosen SQLite because it is light.',
    'Anna and Bob agreed on the blue logo.',
    'The board voted against the merger.',
    'The second vendor was rejected.',
    'I considered both, but I went with the smaller one.',
    'If the pool is exhausted, we agreed to wait for a connection.',
    'Decision 7: the crane stays.',
    'Wir haben gestern beschlossen, die Datenbank umzuziehen.',
    'Мы решили перенести базу данных на новый сервер.',
    '我们决定把数据库迁移到新的服务器。',
    '我们决定不使用Kafka。',
    'Ich habe mich für Grafana entschieden.',
    'PostgreSQL 16を使うことに決めました。',
    'Redisに決めた。',
    'We agreed: no deploys on Friday.',
    'Abbiamo deciso di usare Redis.',
    'Hemos elegido Redis para la caché.',
    'Vereinbart: Postgres als Datenbank.',
    'Beschlossen, dass wir Postgres nehmen.',
    'Anna said that it is fine, so we decided to use Redis.',
  ])('knows what learning does not take: %s', (sentence) => {
    expect(decisionIn(sentence, 'user')).toBe(0.7)
  })

  it('takes what somebody will use for less than a decision, and of a model for what it does next', () => {
    for (const sentence of [
      "I'll use Grammarly for the second draft.",
      'Use tabs instead of spaces in this file.',
      'Let us drop Jaeger and keep Grafana.',
      'We go with NATS.',
      '我们选择了PostgreSQL。',
    ]) {
      expect(decisionIn(sentence, 'user')).toBe(0.3)
      expect(decisionIn(sentence, 'assistant')).toBe(0)
    }
    expect(decisionIn('I chose a queue, as it keeps the order.', 'assistant')).toBe(0.7)
  })

  it.each([
    '## Lessons rather than predictions: what was decided on Friday',
    '**What we decided on for Friday**',
    'Did we decide on the blue logo, or have you chosen another one?',
    'Have we agreed on the blue logo?',
    'We agreed on the blue logo, right?',
    'Should we go with Redis instead of Memcached?',
    'I think we settled on Redis.',
    'We could use Redis rather than Memcached.',
    'I suggest that the logo chosen by Anna was approved.',
    'We have not decided on the name yet.',
    "We haven't agreed to that.",
    'Nothing was decided on the name.',
    'We have decided between nothing so far:',
    'For example, we decided to use Redis there.',
    'Once we have decided on the name, tell Bob.',
    'I will look up who agreed to pay for it.',
    'I totally agree with you, Anna.',
    'I prefer to be told before it happens.',
    "I'll never forget the day of the launch.",
    "Let's keep going and chase our dreams!",
    'Now I will read the file instead of guessing.',
    'Rewrite "I decided to go home, as it was cold" in the third person.',
    'Das haben wir noch nicht beschlossen.',
    'Wurde das beschlossen?',
    '我们需要为计费服务选择数据库。',
    '我不同意使用Redis。',
    'I will use the bathroom.',
    'He said that we decided to use Redis.',
    'Bob told me we agreed to drop Kafka.',
    'The blog says they decided to use Rust.',
    'We go with the flow.',
  ])('finds none in %s', (sentence) => {
    expect([decisionIn(sentence, 'user'), decisionIn(sentence, 'assistant')]).toEqual([0, 0])
  })
})
