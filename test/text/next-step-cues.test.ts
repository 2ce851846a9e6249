import { describe, expect, it } from 'vitest'

import { isExample, saysWhatIsLeft } from '../../src/insight/extracts/cues/next-step-cues.ts'

describe('saysWhatIsLeft()', () => {
  it.each([
    'Next step: check the connection limit of the staging database.',
    'We still need to move the berths to the new table.',
    'The import has to be run again on Friday.',
    'TODO: write the test for the crane.',
    'Waiting for the answer of the harbour master.',
    'Next, I move the tests.',
    'You still have to sign the contract.',
    'Als nächstes prüfen wir den Kran.',
    '下一步是检查服务器。',
  ])('knows %s', (sentence) => {
    expect(saysWhatIsLeft(sentence)).toBe(true)
  })

  it.each([
    'I would love to make something like this next!',
    'We are putting together a talent show for the kids next month.',
    'Maybe we should do it too.',
    'See you later, and thanks for the fish.',
    'To meet your goal, you need to write 1,400 words a week.',
    'It must have been tough to take a break.',
    'For example, we need to move the berths then.',
    'E.g. if you wanted a report, the server has to send it.',
    'We could still have to wait.',
    'We must keep up the good work, this is awesome!',
  ])('does not take %s for it', (sentence) => {
    expect(saysWhatIsLeft(sentence)).toBe(false)
  })
})

describe('isExample()', () => {
  it.each([
    'For example, we could use a queue.',
    'So, for instance, the crane is blocked.',
    'e.g. if you wanted a report',
    'If you would like, I can also write the tests.',
    'We have several ways, for example we could use a queue.',
    'Zum Beispiel nehmen wir den Kran.',
  ])('knows %s', (sentence) => {
    expect(isExample(sentence)).toBe(true)
  })

  it.each([
    'The example of the crane is in the docs.',
    'If the import fails, we run it again.',
    'Some berths, for example 14 and 15, are closed.',
  ])('leaves %s', (sentence) => {
    expect(isExample(sentence)).toBe(false)
  })
})
