import { describe, expect, it } from 'vitest'

import { extractFacts } from '../../src/insight/learning/extract-facts.ts'
import { assertedOf } from '../../src/insight/learning/meant/asserted.ts'
import type { Role } from '../../src/model/messages/message.ts'
import { textOfPayload } from '../../src/model/messages/payload.ts'

function told(
  content: unknown,
  { role = 'user', sender = 'Ada' }: { readonly role?: Role; readonly sender?: string } = {},
) {
  const [payload, mediaType] = [Buffer.from(JSON.stringify(content)), 'application/json']
  const asserted = assertedOf(textOfPayload(payload, mediaType), { payload, mediaType })
  const timestamp = '2026-03-01T00:00:00.000Z'
  return extractFacts({ id: 'm', seq: 1, role, sender, timestamp, asserted }).map(({ text }) => text)
}

const bio = 'My name is Oliver and I live in Leeds.'
const mail = 'Hi,\nmy name is Karen Smith and I work at Initech. I live in Texas.\nBest, Karen'
const letter = 'Dear team,\n\nMy name is Bob Stone. We decided to postpone the launch to May. Always use the VPN.'

describe('of what a user passes on', () => {
  it.each([
    `Here is the mail I got from a customer:\n\n${mail}`,
    'Reply to this customer:\n\nHello, my name is Joe Miller. I work at Initech. I live in Texas. Regards, Joe',
    `Can you summarise this email?\n\n${letter}`,
    `My boss just emailed me:\n\n${letter}`,
    `My boss wrote: ${bio} I prefer tabs.`,
    `Here's what the customer said:\n\n${bio}`,
    `Got this from a recruiter:\n\n${bio} I work at Google.`,
    `My colleague sent me his bio. What do you think?\n\n${bio}`,
    `What should I answer to this?\n\n${bio}`,
    `I need to answer this customer.\n\n${bio}`,
    `Help me answer this customer:\n\n${bio}`,
    `This is the email from the client.\n\n${bio}`,
    `What does this message mean?\n\n${bio}`,
    `Email from Karen:\n${bio}`,
    "Landlord's text: I live in Texas. I work at Bosch.",
  ])('takes nothing: %s', (text) => {
    expect(told(text)).toEqual([])
  })

  it.each([
    `Can you improve this text: ${bio}`,
    'Read this bio and comment. I am a photographer from Rome, and I live in Rome.',
    `Summarize this\n\n${bio}`,
    `${bio}\n\nSummarize the above.`,
    `${bio}\n\nCan you proofread this?`,
    `${bio} Can you make this sound more professional?`,
    `Make this more formal: ${bio}`,
    `How does this sound: ${bio}`,
    `Is this grammatically correct?\n${bio}`,
    `My cover letter so far:\n\n${bio}`,
    `Below is my cover letter. Can you shorten it?\n\n${bio}`,
    `Improve my LinkedIn bio.\n\n${bio}`,
    `Give me feedback on my cover letter:\n\n${bio}`,
    `Could you look over my application letter?\n\n${bio}`,
    `Say this in Spanish: ${bio}`,
    `Correct my English. ${bio}`,
    `Turn the following notes into a mail: ${bio}`,
    `Who wrote this? ${bio}`,
    `Extract all entities: ${bio} I work at Bosch.`,
    `tldr?\n\n${bio}`,
    `Continue this story. ${bio}`,
    `Make this sound better. ${bio}`,
    `Make this read better. ${bio}`,
    `Who wrote this poem? ${bio}`,
    `Improve this email template: ${bio}`,
    `Read this email from the app team.\n${bio}`,
    `Turn this text into a poem. ${bio}`,
    `Check my blog post.\n${bio}`,
    `Answer this request.\n${bio}`,
  ])('takes nothing of a text to work on: %s', (text) => {
    expect(told(text)).toEqual([])
  })

  it.each([
    'Act like my grandma. My name is Gertrude.',
    'Be my grandma. My name is Gertrude.',
    "Let's do a roleplay: my name is Jack. I live in Lisbon.",
    'I want you to play the role of a doctor. My name is Jack and I work at Bosch.',
    'You play a customer. My name is Jack and I work at Bosch.',
    'Talk like a pirate. My name is Jack.',
    'Stay in character. My name is Jack. I live in Lisbon.',
    'Answer as if you were Sherlock. My name is Holmes. I live in London.',
    "Imagine you're my boss. My name is Jack.",
    'From now on, talk like a pirate. My name is Jack.',
    'You should act like a doctor. My name is Jack. I live in Lisbon.',
    'Can you play a customer? My name is Jack. I live in Lisbon.',
    "I'll act as the customer. My name is Jack. I live in Lisbon.",
    'Pretend to be my boss. My name is Jack.',
    'Impersonate my landlord. My name is Jack.',
    'Take on the persona of a sailor. My name is Jack.',
    'Answer from the perspective of a nurse. My name is Jane.',
    'You are the dungeon master. My name is Jack.',
    'My character is a wizard. My name is Gandalf.',
  ])('takes nothing of a part that is played: %s', (text) => {
    expect(told(text)).toEqual([])
  })

  it.each([
    mail,
    letter,
    `From: Karen Smith <k@x.test>\nTo: me\nSubject: Hello\n\n${bio}`,
    `Subject: Application\n\n${bio}`,
    `Fwd: Application\n\n${bio}`,
    `fyi\n\n---------- Forwarded message ---------\nFrom: Karen\n\n${bio}`,
    `On Tue, Mar 3, 2026 at 10:02 AM Karen Smith <k@x.test> wrote:\n${bio}`,
    `To whom it may concern, ${bio}`,
    `Hello,\n\n${bio}\n\nKind regards,\nOliver Twist`,
    `${bio}\n\nKind regards,\nOliver Twist`,
    `Good morning team,\n\n${bio}\n\nThanks,\nOliver`,
    `Good morning team,\n\n${bio}\n\nThanks\nMaria de Souza`,
    `Hello, ${bio}\nThanks, Will`,
    `Hello, ${bio}\nBest, Oliver\n\nThanks Claude!`,
    `Hello, ${bio}\n\nKind regards,\nClaude Dupont`,
    `pls reply\n\nHi Ben,\n\n${bio}`,
    'Customer: Hello.\nAgent: Who are you?\nCustomer: Well. My name is Joe. I live in Texas.',
    '[10:02] Tom: hi. I live in Texas.\n[10:03] Ben: ok. I work at Bosch.',
    '12/05/2024, 10:02 - Tom: hi. I live in Texas.',
    'Tom Miller  10:02 AM\nI live in Texas. We decided to use Kafka for the queue.',
    'He wrote "Hi. I live in Texas. I work at Initech." and left.',
  ])('takes nothing of a letter or a chat: %s', (text) => {
    expect(told(text)).toEqual([])
  })

  it('takes what stands before it', () => {
    const own = ['I live in Porto']
    expect(told(`I live in Porto.\n\nHere is the mail I got:\n\n${mail}`)).toEqual(own)
    expect(told(`I live in Porto. Can you summarise this email?\n\n${letter}`)).toEqual(own)
    expect(told(`I live in Porto. Please improve this text: ${bio}`)).toEqual(own)
    expect(
      told([
        { type: 'text', text: 'I live in Porto. Here is his mail:' },
        { type: 'text', text: mail },
      ]),
    ).toEqual(own)
  })

  it('takes what is plainly theirs after a block that ends', () => {
    expect(told("Here's the message I got:\n\n```\nI live in Texas.\n```\n\nI use Node 20.")).toEqual(['I use Node 20'])
    expect(told('Here is his mail:\n> I live in Texas.\n\nI use Node 20.')).toEqual(['I use Node 20'])
  })
})

describe('of what reads like something passed on and is the own word of a user', () => {
  it.each([
    ["Hi, I'm Ada. I live in Porto.", ['I live in Porto']],
    ['Dear Claude, my name is Ann. I live in Porto.', ['my name is Ann', 'I live in Porto']],
    ['Dear Claude,\n\nmy name is Ann. I live in Porto.\n\nBest,\nAnn', ['my name is Ann', 'I live in Porto']],
    ['Hi there,\n\nI live in Porto. I work at Bosch.\n\nThanks!', ['I live in Porto', 'I work at Bosch']],
    ["Hello! I'm new here.\n\nI live in Porto.", ['I live in Porto']],
    ['Thanks, that worked. I live in Porto.\n\nBest, Ann', ['I live in Porto']],
    ['About me:\n\nI live in Porto. I work at Bosch.', ['I live in Porto', 'I work at Bosch']],
    ["Here's what I need you to know:\n\nI live in Porto.", ['I live in Porto']],
    ['Here is the text I want you to remember:\n\nI live in Porto.', ['I live in Porto']],
    ['Remember this: I live in Porto.', ['Remember this: I live in Porto']],
    ['My answer:\n\nI live in Porto.', ['I live in Porto']],
    ['To answer your question. I live in Porto.', ['I live in Porto']],
    ['In this conversation, always answer in French.', ['In this conversation, always answer in French']],
    ['Summarize this conversation. I prefer lists over prose.', ['I prefer lists over prose']],
    ['When you summarise texts, always use lists. I live in Porto.', ['I live in Porto']],
    ['Can you review this? We decided to use Redis.', ['We decided to use Redis']],
    ['The test fails with this message: X is undefined. We decided to use Redis.', ['We decided to use Redis']],
    ['Two things about our email system. We decided to use Postfix.', ['We decided to use Postfix']],
    ["I've read this article and I love it. I live in Porto.", ['I live in Porto']],
    ['I want to finish this essay tonight. I live in Porto.', ['I live in Porto']],
    ['My 15" laptop is slow. I live in Porto. It has a 4" fan.', ['I live in Porto']],
    ['```python\nfrom flask import Flask\nfrom os import path\n```\nI prefer tabs.', ['I prefer tabs']],
  ])('takes it: %s', (text, facts) => {
    expect(told(text)).toEqual(expect.arrayContaining(facts))
  })

  it.each([
    'Hi, I live in Porto and I prefer short answers.\nThanks Claude!',
    'Hi, I live in Porto.\nThanks, Claude',
    'Hello, I live in Porto.\nThanks in advance, ChatGPT.',
    'Hi! I live in Porto.\nThanks,\nPlease be short.',
    'Hello, I live in Porto.\nLove Linux',
    'Hi,\nI live in Porto and need a dentist.\nThanks\nLooking forward',
    'Hey! I live in Porto.\nThanks\nAlso dark mode',
    'Good morning, I live in Porto.\nThanks everyone',
  ])('takes what is no letter for its thanks: %s', (text) => {
    expect(told(text)[0]).toMatch('I live in Porto')
  })

  it.each([
    'It should behave like the old API.',
    'The button should behave as before.',
    'We mimic the Stripe API.',
    'The app should act like a proxy.',
    'The app should act as a proxy.',
    'Each persona has a goal.',
    'My character limit is 280.',
    'We play D&D on Fridays.',
    'I am the dungeon master of our group.',
    'We play role-playing games on Fridays.',
    'You play the violin well.',
    'When you play a video, the app crashes.',
    'The tests impersonate a browser.',
    'The strings differ in character encoding.',
    'Users in the role of admin can delete it.',
    'Redis can play the role of a buffer here.',
  ])('takes what no part is played in: %s', (text) => {
    expect(told(`${text} I live in Porto.`)).toContain('I live in Porto')
  })

  it.each([
    'Fix the chat component.',
    'Look at the messages table.',
    'This message queue is slow.',
    'This text field is broken.',
    'Fix the email sending code, please.',
    'Turn this text file into JSON.',
    "I can't read this text on my phone.",
    'Make this sound better on my speakers.',
    'Make this read the config from the environment.',
    'Who wrote this library?',
    'Fix the chat message list.',
    'Improve the email template editor.',
    'Look at this comments section.',
    'Review this pull request.',
    'This POST request is slow.',
    'Fix my blog.',
    'Fix the delete dialog.',
    'Fix the worker thread.',
    'Fix this abstract class.',
    'What is the meaning of this flag?',
    'Shorten this URL.',
    'The text above the button is cut off.',
  ])('takes what is said beside what is built: %s', (text) => {
    expect(told(`${text}\nI live in Porto.`)).toEqual(['I live in Porto'])
  })

  it('takes what stands behind a run of spaces, and nothing of a document', () => {
    expect(told(`I live in Porto.${' '.repeat(2_000)}I use Vim.`)).toEqual(['I live in Porto', 'I use Vim'])
    expect(told(`I live in Porto. ${'x'.repeat(20_000)}`)).toEqual([])
  })

  it('takes a letter that its sender has signed', () => {
    const own = 'Dear Ben,\n\nI live in Porto now.\n\nKind regards,\nAda Quill'
    expect(told(own, { sender: 'Ada Quill' })).toEqual(['I live in Porto now'])
    expect(told(own, { sender: 'Ben' })).toEqual([])
  })
})

it('takes nothing of a letter that an assistant has drafted', () => {
  const role = 'assistant'
  expect(told('Here is a draft:\n\nHi all,\n\nWe decided to use Kafka for the queue.', { role })).toEqual([])
  expect(told('**Subject:** Queue\n\nWe decided to use Kafka for the queue.', { role })).toEqual([])
  expect(told('I read the mail. We decided to use Kafka for the queue.', { role })).toHaveLength(1)
})
