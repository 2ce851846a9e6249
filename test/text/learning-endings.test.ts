import { describe, expect, it } from 'vitest'

import { extractFacts } from '../../src/insight/learning/extract-facts.ts'
import type { FoundFact } from '../../src/insight/learning/fact.ts'
import { assertedOf } from '../../src/insight/learning/meant/asserted.ts'
import type { Role } from '../../src/model/messages/message.ts'

function factsIn(text: string, role: Role = 'user'): FoundFact[] {
  const asserted = assertedOf(text, { payload: Buffer.from(JSON.stringify(text)), mediaType: 'application/json' })
  return extractFacts({ id: 'm', seq: 1, role, sender: 'Ada', timestamp: '2026-03-01T00:00:00.000Z', asserted })
}

const told = (text: string, role?: Role) => factsIn(text, role).map(({ kind, text: own }) => `${kind}: ${own}`)

/** Whether of two facts the later ends the earlier: it answers the same, or one says that the other is so no longer. */
function ends(earlier: string, later: string): boolean {
  const [[a], [b]] = [factsIn(earlier), factsIn(later)]
  if (a === undefined || b === undefined) throw new Error(`Nothing is learned of "${earlier}" or "${later}"`)
  const isEnding = (one: FoundFact) => one.slot !== undefined && one.slot === one.claim
  return (a.slot !== undefined && a.slot === b.slot) || ((isEnding(a) || isEnding(b)) && a.claim === b.claim)
}

describe('what helped', () => {
  it.each([
    'Rebooting only fixed the issue for a minute.',
    'Rebooting sort of fixed the issue.',
    'It worked after updating but then broke again.',
    'Everything worked after installing 2.1 until yesterday.',
    'The fix was wrong, so I reverted it.',
    'The fix was reverted in commit abc1234.',
    'The fix was incomplete, the crash came back.',
    'The fix was a disaster.',
    'The fix was merged yesterday.',
    'My solution was wrong.',
    'The solution was worse than the problem.',
    'The workaround was breaking other tests.',
    'The fix was to restart the pod every hour, which only helped for a day.',
    'Deleting node_modules fixed the build. Wait, no, that only hid the problem.',
    'Restarting the worker fixed the leak, but it came back an hour later.',
    'Restarting the worker fixed the leak for a few hours.',
    'Restarting the worker fixed the leak for about a week.',
    'Restarting the worker fixed the leak until the next deploy.',
    'Restarting the worker fixed the leak, but not for long.',
    'Clearing the cache fixed the login. It broke again this morning.',
    'Clearing the cache fixed the login. The login still fails on Safari.',
    'Pinning node to 20 fixed the build. I had to revert it, though.',
    'Pinning node to 20 fixed the build. We rolled it back today.',
    'Switching to TCP fixed the drops. Spoke too soon, they are back.',
    'Switching to TCP fixed the drops. Turned out it was a coincidence.',
    'I fixed the crash by restarting the pod, but it did not last.',
    'Upgrading the driver should have fixed the crash.',
    'Upgrading the driver was supposed to have fixed the crash.',
    'Nothing I tried, including rebooting the router, fixed the drop.',
    'During the night Bob fixed the build.',
    'Using the version that fixed the bug broke my build.',
    'It works now after reinstalling the driver, but only on Linux.',
    "Trying everything hasn't solved the issue.",
    'Clearing the cache fixed the crash. It is back.',
    "Clearing the cache fixed the crash. I don't know why it broke again.",
    'Clearing the cache fixed the crash, but it failed again before lunch.',
    'Restarting nginx fixed the outage. The outage is back.',
  ])('is not taken from %s', (text) => {
    expect(told(text)).toEqual([])
  })

  it.each([
    'Rebooting the router for a minute fixed the VPN drop.',
    'Restoring the reverted commit fixed the build.',
    'I fixed the crash by pinning node to 22.3.',
    'The fix was to pin node to 22.3.',
    'The fix was pinning node to 22.3.',
    'The fix was a missing semicolon in parser.ts.',
    'The solution turned out to be an index on user_id.',
    'It works again after reinstalling the driver.',
  ])('is taken from %s', (text) => {
    expect(told(text)).toEqual([`procedure: ${text.slice(0, -1)}`])
  })

  it('is taken where what follows is about something else', () => {
    expect(told('Switching to TCP fixed the drops. I reverted my other changes.')).toEqual([
      'procedure: Switching to TCP fixed the drops',
    ])
    for (const more of [
      'Now it never fails again.',
      'Before that it came back every day.',
      'Until then it crashed again every hour.',
      'It used to come back every day.',
      'It has not come back since.',
      'It failed again and again before.',
      'No, that was all.',
    ])
      expect(told(`Switching to TCP fixed the drops. ${more}`)).toEqual(['procedure: Switching to TCP fixed the drops'])
    expect(told('Pinning node to 20 fixed the build, which failed again and again before.')).toHaveLength(1)
    expect(told('Restarting nginx fixed the outage. It is back.')).toHaveLength(1)
    expect(told('Raising the limit fixed the quota error, and the site is back up.')).toEqual([
      'procedure: Raising the limit fixed the quota error',
    ])
  })

  it('is known for what did not where somebody says so', () => {
    expect(told('Rebooting the router never fixed the VPN drop.')).toEqual([
      'fact: Rebooting the router never fixed the VPN drop',
    ])
    const fixed = 'Setting TIMEOUT=30 fixed the flaky test.'
    for (const not of [
      'Setting TIMEOUT=30 did not fix the flaky test after all.',
      "Setting TIMEOUT=30 doesn't fix the flaky test any more.",
      "Setting TIMEOUT=30 hasn't fixed the flaky test either.",
      'Setting TIMEOUT=30 turned out not to fix the flaky test.',
      'Setting TIMEOUT=30 did not really help with the flaky test.',
    ])
      expect([not, ends(fixed, not)]).toEqual([not, true])
    expect(
      ends('I fixed the flaky test by setting TIMEOUT=30.', 'Setting TIMEOUT=30 did not fix our flaky test.'),
    ).toBe(true)
    expect(ends(fixed, 'Setting RETRIES=3 did not fix the flaky test.')).toBe(false)
    expect(ends(fixed, 'Setting TIMEOUT=30 did not fix the slow build.')).toBe(false)
  })
})

describe('what is said in place of something else', () => {
  it.each([
    ['We decided to use Redis for the cache', 'We decided to use Memcached for the cache instead'],
    ['We decided to use Redis for the cache', "Let's use Memcached for the cache for now"],
    ['We decided to use Redis for the cache', "We're going with Memcached for the cache then"],
    ['We decided to use Redis for the cache', 'We decided to use Memcached for the cache instead of Redis'],
    ['We decided to use Redis for the cache', 'We decided to use Memcached instead of Redis for the cache'],
    ["We've decided on AWS for hosting", "We've decided on Hetzner for hosting after all"],
    ['We decided to keep Redis for the cache', 'We decided to go back to Memcached for the cache again'],
    ['Decision: use SQLite for the cache', 'Decision: use Redis for the cache'],
    ['Decision: SQLite for the cache', 'We decided to go with Redis for the cache again'],
    ['Decision: use Redis for the cache', 'Decision: do not use Redis for the cache'],
    ['I always use Firefox', 'I never use Firefox'],
    ['I use Firefox', 'I switched from Firefox to Chrome'],
    ['I always drink coffee', 'I no longer drink coffee'],
    ['I always drink coffee', "I don't drink coffee any more"],
    ['From now on, answer in French', 'From now on, answer in English'],
    ['Always answer in French', 'Always answer in English'],
    ['Always answer in French', 'From now on, please reply to me in English'],
    ['Always answer in French', 'Please answer in German from now on'],
    ['Always answer in French', 'Never answer in French'],
    ['From now on, speak German', 'From now on, write in English instead'],
    ['Our team uses Jira', 'Our team uses Linear now'],
    ['We use Jira', 'We switched from Jira to Linear'],
    ['Our team uses Kafka', 'We have moved from Kafka to NATS'],
    ['We use Kafka', 'Our team no longer uses Kafka'],
    ['Our team uses Confluence for docs', 'Our team uses Notion for docs'],
    ['Our API is written in Go', 'Our API is written in Rust now'],
    ['Our API is written in Go', 'Our API is now written in Rust'],
    ['Our app runs on Heroku', 'Our app runs on Fly now'],
    ['Our app runs on Heroku', 'Our app is hosted on Fly these days'],
    ['Our app runs on Heroku', 'Our app moved from Heroku to Fly'],
    ['I have two kids', 'I have three kids now'],
    ['I have two kids, Ann and Ben', 'I now have three children'],
    ['I have a dog', 'I no longer have a dog'],
    ["I'm married (to Anna)", "I'm divorced (now)"],
    ["I'm married to Anna", 'I got divorced last year'],
    ["I'm happily married", 'I am no longer married'],
    ["I'm single", "I'm engaged to Anna"],
    ["I'm vegan", 'I am no longer vegan'],
    ["I'm vegan", "I'm not vegan any more"],
    ["I'm vegan", 'I stopped being vegan'],
    ["I'm a vegetarian", "I've become vegan"],
    ["I'm allergic to peanuts", "I'm no longer allergic to peanuts"],
    ["I'm not vegan anymore", "I'm vegan"],
    ["I'm single", "I'm married to Anna"],
    ["I'm married to Anna", "I'm single"],
    ["I'm single", "I'm no longer single"],
    ['I have a dog named Rex', 'I no longer have a dog named Rex'],
    ['I have a dog named Rex', 'I no longer have a dog'],
    ['We use Postgres for the ledger', 'We no longer use Postgres for the ledger'],
    ['We use Postgres for the ledger', 'We no longer use Postgres'],
    ['We use Postgres for the sessions', 'We moved from Postgres to Redis for sessions'],
    ['I use Vim for Python', 'I no longer use Vim for Python'],
    ['We deploy to AWS', 'We deploy to Hetzner now'],
    ['Answer in German from now on', "Don't answer in German anymore"],
  ])('%s is ended by %s', (earlier, later) => {
    expect(ends(`${earlier}.`, `${later}.`)).toBe(true)
  })

  it.each([
    ['We decided to use Redis for now', 'We decided to use tabs for now'],
    ['We decided to use Redis as soon as possible', 'We decided to use Kafka as soon as possible'],
    ['We decided to hire Ben for QA', 'We decided to hire Eva for QA'],
    ['I always use Firefox', 'I never use Chrome'],
    ['I always use Firefox', 'I never use Firefox for banking'],
    ['Always answer in English', 'Never answer in French'],
    ['Always answer in French', 'Always write comments in English'],
    ['Always answer in French when I write in French', 'Always answer in English'],
    ['Our team uses Jira', 'Our team uses GitLab'],
    ['Our team uses Jira', 'Our team also uses Linear'],
    ['Our team uses Kafka', 'Our team uses NATS now'],
    ['We use GitHub for code', 'We use Linear for tickets'],
    ['Our API is written in Go', 'Our API is written in Rust'],
    ['Our app runs on Heroku', 'Our app also runs on Fly now'],
    ['Our app runs on Heroku', 'Our API runs on Fly now'],
    ['I have two kids', 'I have a dog'],
    ['I have two kids from my first marriage', 'I have three kids'],
    ['I have a brother in Berlin', 'I have a brother in Rome'],
    ["I'm married to Anna", 'I got divorced in 2010'],
    ["I'm allergic to peanuts", "I'm allergic to cats"],
    ['I have a son named Tom', 'I have a son named Ben'],
    ['I have a sister called Ann', 'I have a sister called Eva'],
    ['I have two young kids', 'I have three grown kids'],
    ['I have a dog named Rex', 'I no longer have a dog named Max'],
    ["I'm married to Anna", "I'm happily married"],
    ["I'm married to Anna", 'I am no longer single'],
    ["I'm from Germany", "I'm from Bavaria"],
    ["I'm from the UK", "I'm from England"],
    ["I'm from California", "I'm from the Bay Area"],
    ['We use Jest for testing', 'We use Playwright for testing'],
    ['We use Slack for communication', 'We use Zoom for communication'],
    ['We use Postgres for storage', 'We use S3 for storage'],
    ['We use React for the frontend', 'We use Vite for the frontend'],
    ['We use Jira', 'Our company uses Linear'],
    ['Our app is written in Kotlin', 'Our app is built with Gradle now'],
    ['We deploy to AWS', 'We deploy via GitHub Actions now'],
    ['We deploy to AWS', 'We deploy with Helm now'],
    ['Our service runs on Fly', 'Our service is hosted in Frankfurt now'],
    ['Our service runs on Fly', 'Our service runs on Node 22 now'],
    ['Our API runs on Heroku', 'Our API moved from Go to Rust'],
    ['We use Postgres for the ledger', 'We moved from Postgres to Redis for sessions'],
    ['We use Postgres for the ledger', 'We no longer use Postgres for sessions'],
    ['I use Firefox', 'I switched from Firefox to Chrome for banking'],
  ])('%s is not ended by %s', (earlier, later) => {
    expect(ends(`${earlier}.`, `${later}.`)).toBe(false)
  })
})

describe('what is over as soon as it is said', () => {
  it.each([
    "I'm going to use the bathroom",
    "Let's use a for loop here",
    "Let's use your example",
    'We agreed on nothing',
    'We agreed to disagree',
    'We decided on Tuesday',
    "We're moving to the next topic",
    "We're switching to another topic",
    'We decided to start with the easy part',
    'We decided to look at the file first',
    'I decided to take a nap',
    'We decided to grab lunch',
    "I've decided to call it a day",
    "I'm going with my friends",
    "I'm engaged in several projects",
    'I live in Porto. Wait, no, Lisbon',
    "I live in Porto. That's not true",
    'I live in Porto. Oops, I meant Lisbon',
    'I live in Porto. I mean Lisbon',
    "I live in Porto. Wait, that's my old address",
    'We moved from Monday to Thursday',
    'I changed from Monday to Friday',
    'We decided to use the pool at the hotel',
    'We decided to take the bus home',
    'We decided to wait a second',
    'We decided to eat out tonight',
    'We decided to discuss it tomorrow',
    'We decided to use a variable for it',
    'Please answer in French',
  ])('is not taken: %s', (text) => {
    expect(told(`${text}.`)).toEqual([])
    expect(told(`${text}.`, 'assistant')).toEqual([])
  })

  it.each([
    'We decided on REST for the API',
    'We decided to use a new table for the audit',
    'We decided to order the events by time',
    'We decided to support Linux first',
    'We decided on Tuesday to use Redis',
    'We agreed to ship on Friday',
    "Let's use a feature flag for the rollout",
    "We're moving to Kubernetes",
    'We decided to use the phone number as the primary key',
    'We decided to use the time zone of the browser',
    'We decided to use the bus for events',
    'We decided to use the pool from pg',
    'We decided to use array jobs on Slurm',
    'We decided to use the sample rate of 48 kHz',
    'We decided to sleep 5 seconds between retries',
    'We decided to wait a second between retries',
    'We decided to relax the password policy',
    'We decided to leave at least one replica running',
    'We decided to discuss breaking changes in RFCs',
    'We decided to start with the API',
    'We decided to come back to REST',
    'We decided to run migrations first',
    'We decided to tell the user when a job fails',
    'We decided to write to the store',
  ])('is not mistaken for a decision that lasts: %s', (text) => {
    expect(told(`${text}.`)).toEqual([`decision: ${text}`])
  })

  it('is not what a record or a note begins with', () => {
    const record = 'For the record, I am on call in May'
    expect(told(`${record}.`)).toEqual([`fact: ${record}`])
    expect(told('For the record, I live in Porto.')).toEqual(['fact: I live in Porto'])
    expect(told('From now on, always use tabs.')).toEqual(['preference: always use tabs'])
  })

  it('is not what stands in a list of decisions and was turned down', () => {
    const list = [
      'Decisions:',
      '- Auth: OAuth (rejected)',
      '- Queue: Kafka (not chosen)',
      '- Mailer: Postmark (rejected by the CFO)',
      '- SAML - rejected',
      '- Cache: Redis (not Memcached)',
      '- We rejected MongoDB, as it lost writes',
    ]
    expect(told(list.join('\n'))).toEqual([
      'decision: Cache: Redis (not Memcached)',
      'decision: We rejected MongoDB, as it lost writes',
    ])
  })
})

describe('what bears out what was just said', () => {
  it.each([
    "I work at Acme. That's right, the anvil people.",
    "I work at Acme. That's true since 2019.",
    'I work at Acme. That is correct.',
    'I work at Acme. I mean, I really love it.',
    "I work at Acme. Actually, that's why I'm asking about their API.",
    'I work at Acme. Actually, not far from the beach.',
    'I work at Acme. Oops, I should have said hello first.',
    'I work at Acme. I was wrong about the deadline, though.',
  ])('does not take it back: %s', (text) => {
    expect(told(text)).toEqual(['fact: I work at Acme'])
  })
})
