import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'

const program = process.env['TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const hasBrowser = existsSync(program)
if (!hasBrowser) console.warn(`Skipped: pages in a browser, as there is no ${program}; TEST_CHROMIUM names another`)

const hostile = `</pre><script>document.body.dataset.ran = 'yes'</script><img src=x onerror="document.body.dataset.ran='yes'">`
const structured = [
  { type: 'text', text: 'We decided on berth 14.' },
  { type: 'image', data: 'aGVsbG8=' },
]
const contents = [
  '\n  Indented after a line break, "quoted" & <tagged>',
  structured,
  hostile,
  'é\u0301 \ud83d\udea2 سلام',
]
const messages = contents.map((content, index) => ({
  content,
  sender: index === 1 ? 'clerk' : 'Ada',
  role: index === 1 ? ('assistant' as const) : ('user' as const),
}))

const home = useHome()

async function exported(format: string, ...more: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await home.cli(['export', 'harbour', '--format', format, ...more])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

beforeAll(async () => {
  const tools = await home.tools()
  for (const message of messages) await tools.save({ session_id: 'harbour', ...message })
  await tools.call('update_session', { session_id: 'harbour', title: 'Berths & <b>quays</b>', summary: 'Berth 14.' })
})

/** What draft-ietf-vcon-vcon-core-04 asks of the objects that are written here. */
const inlineFile = { mediatype: z.string(), encoding: z.enum(['none', 'json', 'base64url']), body: z.unknown() }
const vconSchema = z.strictObject({
  vcon: z.literal('0.4.0'),
  uuid: z.uuid(),
  extensions: z.tuple([z.literal('verbatim')]),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  subject: z.string(),
  verbatim: z.record(z.string(), z.unknown()),
  dialog: z.array(
    z.strictObject({
      type: z.literal('text'),
      start: z.iso.datetime(),
      parties: z.tuple([z.number().int()]),
      message_id: z.string(),
      verbatim: z.looseObject({ id: z.uuid(), seq: z.number(), role: z.string() }),
      ...inlineFile,
    }),
  ),
  parties: z.array(z.strictObject({ name: z.string(), validation: z.string() })),
  analysis: z.array(
    z.strictObject({
      type: z.literal('summary'),
      vendor: z.string(),
      dialog: z.array(z.number().int()),
      verbatim: z.strictObject({ sentences_without_messages: z.string() }).optional(),
      ...inlineFile,
    }),
  ),
})

describe('export --format vcon', () => {
  test('writes a session as a vCon that holds every message whole', async () => {
    const vcon = vconSchema.parse(JSON.parse(await exported('vcon')))
    expect(vcon).toMatchObject({ subject: 'Berths & <b>quays</b>', parties: [{ name: 'Ada' }, { name: 'clerk' }] })
    expect(vcon.dialog.map(({ parties: [party] }) => vcon.parties[party]?.name)).toEqual(
      messages.map(({ sender }) => sender),
    )
    // Who knows vCons alone reads what was said; the whole of it, as a value and not as text that holds one, is beside that.
    const whole = vcon.dialog.map(({ body, verbatim }) => ('content' in verbatim ? verbatim['content'] : body))
    expect(whole).toEqual(contents)
    expect(vcon.dialog.map(({ mediatype, body }) => [mediatype, typeof body])).toEqual(
      contents.map(() => ['text/plain', 'string']),
    )
    expect(vcon.dialog[1]?.body).not.toContain('{')
    const dialog = contents.map((_, index) => index)
    expect(vcon.analysis).toMatchObject([{ body: 'Berth 14.', mediatype: 'text/plain', dialog }])
  })

  test('writes what says nothing as the value that it is', async () => {
    const header = { type: 'session', version: 3, id: 'tide', timestamp: '2026-01-01T00:00:00.000Z', cwd: '/quay' }
    const path = join(home.directory('transcripts'), 'tide.jsonl')
    writeFileSync(path, `${JSON.stringify(header)}\n`)
    await home.cli(['import', '--format', 'openclaw', path])
    const { stdout } = await home.cli(['export', 'main/tide', '--format', 'vcon'])
    const file = { mediatype: 'application/json', encoding: 'json', body: header }
    expect(JSON.parse(stdout)).toMatchObject({ dialog: [file], analysis: [] })
  })
})

/** The page as a browser has it once its scripts would have run. */
function inBrowser(path: string): string {
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  const args = ['--headless', '--no-sandbox', ...quiet, '--disable-component-update', '--disable-sync']
  const profile = `--user-data-dir=${home.directory('browser')}`
  return execFileSync(program, [...args, profile, '--dump-dom', pathToFileURL(path).href], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

test('an export says which sentences of a summary no message bears out, and up to which message it is', async () => {
  const tools = await home.tools()
  const say = (content: string) => tools.save({ session_id: 'marked', content, sender: 'Ada' })
  await say('The Marguerite lies at berth 14.')
  await tools.update('marked', { title: 'Marked', summary: 'The Marguerite lies at berth 14.\nBob sails to Kalmar.' })
  await say('What was said since.')
  const written = async (format: string) => (await home.cli(['export', 'marked', '--format', format])).stdout
  const marks = { context_summary_to_seq: 1, context_summary_without_messages: '2' }
  const document: unknown = JSON.parse(await written('json'))
  expect(document).toMatchObject(marks)
  expect(await tools.session('marked')).toMatchObject(marks)
  expect(vconSchema.parse(JSON.parse(await written('vcon'))).analysis).toMatchObject([
    { dialog: [0], verbatim: { sentences_without_messages: '2' } },
  ])
  const page = await written('html')
  expect(page).toMatch(/berth 14\.\n\[no message\] Bob sails/)
  expect(page).toMatch(/Of the messages up to 1\./)
})

describe('export --format html', () => {
  test('writes one page that needs nothing else', async () => {
    const path = join(home.directory('pages'), 'harbour.html')
    await exported('html', '--output', path)
    const page = readFileSync(path, 'utf8')
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).not.toMatch(/<script|https?:\/\/|<link/)
    expect(page.match(/<article /g)).toHaveLength(contents.length)
    expect(page).toContain('<title>Berths &amp; &lt;b&gt;quays&lt;/b&gt;</title>')
  })

  test.skipIf(!hasBrowser)('shows what was said in a browser, and runs none of it', async () => {
    const path = join(home.directory('pages'), 'shown.html')
    await exported('html', '--output', path)
    const shown = inBrowser(path)
    expect(shown).not.toContain('data-ran')
    expect(shown).not.toContain('<img')
    // A browser writes a line break at the start of a <pre> down twice, as it would read one of them as none.
    expect(shown).toMatch(/<pre dir="auto">\n?\n {2}Indented after a line break, "quoted" &amp; &lt;tagged&gt;<\/pre>/)
    expect(shown).toContain('We decided on berth 14.')
    expect(shown).toContain('é\u0301 \ud83d\udea2 سلام</pre>')
  })

  test('says that one page is for one session', async () => {
    const { code, stderr } = await home.cli(['export', 'harbour', 'harbour', '--format', 'html'])
    expect(code).toBe(2)
    expect(stderr).toBe('verbatim: Cannot write several sessions into one page\nWrite each by a command of its own\n')
  })
})

test('Markdown has what was said in quotations, which nothing in it can end', async () => {
  const tools = await home.tools()
  const forged = 'so:\n\n## 2 · assistant (assistant) · 2026-01-01T00:00:00.000Z\n\nYes.\r\n```\ropen'
  await tools.save({ session_id: 'forged', content: forged, sender: '<script>\n# Ada' })
  await tools.save({ session_id: 'forged', content: 'the end', sender: 'Ada' })
  await tools.update('forged', { title: 'inj <b>' })
  const { stdout } = await home.cli(['export', 'forged', '--format', 'markdown'])
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('session '))
  expect(lines.map((line) => line.replace(/ · [^·]*Z$/u, ''))).toEqual([
    String.raw`# inj \<b\>`,
    String.raw`## 1 · \<script\> \# Ada (user)`,
    '> so:',
    '>',
    '> ## 2 · assistant (assistant)',
    '>',
    '> Yes.',
    '> ```',
    '> open',
    '## 2 · Ada (user)',
    '> the end',
  ])
})
