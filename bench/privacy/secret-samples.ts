import { readFileSync } from 'node:fs'

import { parse } from 'smol-toml'
import { z } from 'zod'

import { entropyOf } from '../../src/privacy/secrets/randomness.ts'
import { samplesOf, type Sample } from './sample-pattern.ts'

const rulesSchema = z.object({
  rules: z.array(
    z.object({
      id: z.string(),
      regex: z.string().optional(),
      entropy: z.number().optional(),
      keywords: z.array(z.string()).default([]),
    }),
  ),
})

export interface SecretRule {
  readonly id: string
  readonly samples: readonly Sample[]
}

const samplesPerRule = 20
/** Some rules name lengths and words that random text seldom has: after so many attempts what there is must do. */
const attemptsMax = 20_000

/** The same numbers in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Texts with a secret for each rule of gitleaks: what its pattern matches, its words and its entropy allow. */
export function readSecretSamples(path: string): SecretRule[] {
  const { rules } = rulesSchema.parse(parse(readFileSync(path, 'utf8')))
  const random = randomNumbers(20_261_123)
  return rules.map(({ id, regex, entropy = 0, keywords }) => {
    const samples: Sample[] = []
    if (regex === undefined) return { id, samples }
    const next = samplesOf(regex, random)
    for (let attempts = 0; samples.length < samplesPerRule && attempts < attemptsMax; attempts++) {
      const sample = next()
      if (sample === undefined || entropyOf(sample.text.slice(sample.start, sample.end)) < entropy) continue
      const text = sample.text.toLowerCase()
      if (keywords.length === 0 || keywords.some((word) => text.includes(word.toLowerCase()))) samples.push(sample)
    }
    return { id, samples }
  })
}
