import { describe, expect, it } from 'vitest'

import { tokenMask, typeMask } from '../../src/privacy/mask.ts'
import { KnownNames } from '../../src/privacy/names/known-names.ts'
import { Rewriter } from '../../src/privacy/rewriter.ts'

const redacted = async (participants: readonly string[], text: string) =>
  await new Rewriter(typeMask, new KnownNames(participants)).text(text)

describe('names of participants in a text', () => {
  it.each([
    ['山田太郎', '私は山田太郎です。', '私は[person]です。'],
    ['王伟', '我是王伟。', '我是[person]。'],
    ['王伟', '王伟 在吗', '[person] 在吗'],
    ['محمد أحمد', 'أنا محمد أحمد هنا', 'أنا [person] هنا'],
    ['राहुल शर्मा', 'मैं राहुल शर्मा हूँ, राहुल', 'मैं [person] हूँ, [person]'],
    ['김철수', '저는 김철수입니다', '저는 [person]입니다'],
    ['bob', 'it is bob here, Bob said', 'it is [person] here, [person] said'],
    ['anna.schmidt', 'ask anna.schmidt or Anna Schmidt', 'ask [person] or [person]'],
    ['@karl_s', 'ping @karl_s or karl_s', 'ping @[person] or [person]'],
    ['Bo', 'here is Bo, not bo', 'here is [person], not bo'],
    ['Ng', 'so says Ng', 'so says [person]'],
    ['Li Na', 'then Li  Na left', 'then [person] left'],
    ['JOHN SMITH', 'it is john smith, and Smith', 'it is [person], and [person]'],
    ['Dr. Anna Schmidt', 'so anna schmidt left', 'so [person] left'],
    ['Mark', 'so Mark came', 'so [person] came'],
    ['Will May', 'so WILL MAY be; will may be; Will May came', 'so WILL MAY be; will may be; [person] came'],
    ["Ann O'Brien-Lukas", 'the one is Ann O’Brien-Lukas there', 'the one is [person] there'],
  ])('are found as a whole: %s', async (sender, text, expected) => {
    expect(await redacted([sender], text)).toBe(expected)
  })

  it.each([
    ['planner', 'the planner plans'],
    ['editor', 'open the editor'],
    ['web_search', 'use web_search for it'],
    ['mcp__db__query', 'mcp__db__query failed'],
    ['research-agent', 'the research-agent is done'],
    ['Code Reviewer', 'a code reviewer looks at it'],
    ['tool runner', 'a tool runner stopped'],
    ['claude-code', 'run claude-code now'],
    ['grep', 'then grep for it'],
    ['mark', 'mark it as done'],
    ['助手', '请助手帮忙'],
    ['ユーザー', 'ユーザーの声'],
    ['It', 'It is so'],
    ['Bash', 'the Bash tool'],
    ['Read', 'Read the file'],
    ['GPT-4o', 'so GPT-4o said'],
    ['@agent', 'ask the agent'],
    ['7', 'at 7 there are 7'],
  ])('are words where they are ordinary: %s', async (sender, text) => {
    expect(await redacted([sender], text)).toBe(text)
  })

  const named = 'Wainwright rang and Philippa answered'
  it.each([
    'philippa.wainwright@example.org',
    'philippa+wainwright@example.org',
    '"philippa wainwright"@example.org',
    'philippa@example.org, wainwright@example.org.',
    'https://example.org/people/philippa,wainwright?q=1',
    'www.wainwright.example/philippa',
    'C:\\Users\\philippa\\wainwright.pdf',
    '~/wainwright/of-philippa/notes',
    'docs/philippa.md and wainwright.pdf',
    '@philippa, (@wainwright)',
    'philippa_wainwright',
    'philippa-wainwright',
    'philippa99 and wainwright2',
    'author=philippa, $wainwright, #wainwright',
    'git@github.com:philippa/wainwright.git',
    '写信给philippa.wainwright@example.org吧',
  ])('are no ordinary words for what stands in %s', async (identifier) => {
    const shown = await redacted(['Philippa Wainwright'], `${named}, see ${identifier} about the crane.`)
    expect(shown).toMatch(/^\[person\] rang and \[person\] answered, see /u)
  })

  it.each([
    ['Rose Marsh', 'Rose and Marsh: the price rose, the marsh is wet.'],
    ['Rose Marsh', "Rose or Marsh: 'rose', (marsh)."],
    ['Rose Marsh', 'Rose or Marsh: **rose**, _marsh_…'],
    ['Rose Marsh', 'Rose or Marsh: rose...then “marsh”?'],
    ['Rose Marsh', 'Rose or Marsh: a rose-red marsh-plant; see rose@example.org.'],
  ])('are ordinary words where prose writes them small: %s in %s', async (sender, text) => {
    const shown = await redacted([sender], text)
    expect(shown).toMatch(/^Rose (?:and|or) Marsh/u)
  })

  it('are not found within another word', async () => {
    expect(await redacted(['bob', 'анна'], 'bobsled, kabob and аннаполис')).toBe('bobsled, kabob and аннаполис')
  })
})

describe('the token of a participant', () => {
  const rewriterOf = (participants: readonly string[]) =>
    new Rewriter(tokenMask(new Uint8Array(32).fill(7), 'a'), new KnownNames(participants))

  it.each([
    ['Иван Петров', 'Это Иван Петров пишет', 'Это # пишет'],
    ['João da Silva', 'sou João da Silva aqui', 'sou # aqui'],
    ['O’Brien-Łukasz Ż', 'so O’Brien-Łukasz Ż and O’Brien-Łukasz came', 'so # and # came'],
    ['Karl Strobel', 'Mr Karl Strobel came, later Strobel left', '# came, later # left'],
    ['Karl Strobel', 'It was Strobel.', 'It was #.'],
    ['@karl_s', 'ask karl_s', 'ask #'],
    ['anna.schmidt', 'ask Anna Schmidt', 'ask #'],
    ['user@corp.example', 'write to user@corp.example please', 'write to # please'],
    ['JOHN SMITH', 'ask John Smith', 'ask #'],
  ])('is the same for the sender and in the text: %s', async (sender, text, expected) => {
    const rewriter = rewriterOf([sender])
    expect(await rewriter.text(text)).toBe(expected.replaceAll('#', rewriter.name(sender)))
  })

  it('is of nobody in particular for a word that several have', async () => {
    const rewriter = rewriterOf(['Karl Strobel', 'Anna Strobel'])
    const text = await rewriter.text('It was Strobel.')
    expect(text).toMatch(/^It was \[person_\w+\]\.$/u)
    expect(text).not.toContain(rewriter.name('Karl Strobel'))
    expect(text).not.toContain(rewriter.name('Anna Strobel'))
  })

  it('is not that of a month', async () => {
    const rewriter = rewriterOf(['Will May'])
    expect(await rewriter.text('It opens in May, on 3 May and May 4.')).toBe('It opens in May, on 3 May and May 4.')
    expect(await rewriter.text('So May came.')).toBe(`So ${rewriter.name('Will May')} came.`)
  })
})

describe('a text that is shown to one of those it names', () => {
  const rewriter = new Rewriter(typeMask, new KnownNames(['Bob Marsh', 'Otto Quill'], [], 'Ada Quill'))

  it('has their name and no other', async () => {
    expect(await rewriter.text('Ada Quill and Bob Marsh about berths')).toBe('Ada Quill and [person] about berths')
    expect(await rewriter.text('Mrs Ada Quill has berth 14, Ada says')).toBe('Mrs Ada Quill has berth 14, Ada says')
  })

  it('does not have a name that somebody else has too', async () => {
    expect(await rewriter.text('so Quill said')).toBe('so [person] said')
  })
})
