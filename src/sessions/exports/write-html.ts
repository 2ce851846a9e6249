import { html, raw } from 'hono/html'

import { readableText } from '../document.ts'
import { messageParts, thoughtLabel } from '../message-parts.ts'
import { stateOfRow } from '../message-state.ts'
import type { ShownSummary } from '../summary-members.ts'
import type { ExportedMessage, ExportedSession } from './write-session.ts'

/** Light or dark as its reader's system is, and fit to be printed. */
const style = `
:root { color-scheme: light dark; --rule: light-dark(#d8dce2, #3a3f47); --quiet: light-dark(#5b6470, #9aa4b0);
  --user: light-dark(#eef4ff, #1b2638); --assistant: light-dark(#ffffff, #17191d); --tool: light-dark(#f6f6f3, #20211d) }
body { margin: 0 auto; max-width: 52rem; padding: 2rem 1rem; font: 16px/1.5 system-ui, sans-serif;
  background: light-dark(#fbfbfa, #111316); color: light-dark(#1c2026, #e6e8eb) }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .125rem 1rem; color: var(--quiet); font-size: .875rem }
dt { font-weight: 600 } dd { margin: 0; overflow-wrap: anywhere }
article, section { border: 1px solid var(--rule); border-radius: .5rem; margin: .75rem 0; padding: .625rem .875rem;
  background: var(--assistant) }
article.user { background: var(--user) } article.tool, article.system { background: var(--tool) }
header { display: flex; flex-wrap: wrap; gap: .125rem .75rem; font-size: .8125rem; color: var(--quiet) }
header strong { color: inherit; font-size: .875rem } header a { color: inherit; margin-inline-start: auto }
pre { margin: .375rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
article.tool pre { font: .8125rem/1.45 ui-monospace, monospace }
.thought { margin: .375rem 0; padding-inline-start: .625rem; border-inline-start: 3px solid var(--rule); color: var(--quiet) }
.thought > span { font-size: .8125rem; font-weight: 600 }
.note { margin: .375rem 0 0; color: var(--quiet); font-size: .8125rem }
.error { color: light-dark(#a4262c, #ff9a9a) }
summary { cursor: pointer; color: var(--quiet); font-size: .8125rem }
@media print { article { break-inside: avoid } body { max-width: none } }`

/** Longer ones are folded: what a tool printed would hide the conversation. */
const foldedCharacters = 2_000

/** A reader of HTML drops the first line break in a `pre`. */
function preformatted(text: string): string {
  return `\n${text}`
}

function shown(text: string) {
  const body = html`<pre dir="auto">${preformatted(text)}</pre>`
  if (text.length <= foldedCharacters) return body
  return html`<details>
    <summary>${text.length} characters</summary>
    ${body}
  </details>`
}

/** What a model thought and did not say. */
function thought(text: string) {
  return html`<div class="thought"><span>${thoughtLabel}</span>${shown(text)}</div>`
}

function article({ row, body }: ExportedMessage) {
  const model = row.model === null || row.model === row.sender ? '' : html`<span>${row.model}</span>`
  const states = stateOfRow(row).map((state) => html`<span>${state}</span>`)
  const content =
    'error' in body
      ? html`<p class="error">${body.error}</p>`
      : messageParts(row, body.payload).map(({ isThought, text }) => (isThought ? thought(text) : shown(text)))
  return html`<article class="${row.role}" id="m${row.seq}">
    <header>
      <strong dir="auto">${row.sender}</strong><span>${row.role}</span>${model}<time datetime="${row.timestamp}"
        >${row.timestamp}</time
      >${states}<a href="#m${row.seq}">${row.seq}</a>
    </header>
    ${content}
  </article> `
}

/** The summary, and of what it is not known to be borne out. */
function summarySection({ text, toSeq, isOutdated, withoutMessages }: ShownSummary) {
  const lines = text.split('\n').map((line, at) => (withoutMessages.includes(at + 1) ? `[no message] ${line}` : line))
  const without =
    withoutMessages.length === 0
      ? ''
      : html`<p class="note">[no message]: no message of this session is known to say so.</p>`
  const outdated = isOutdated ? html`<p class="note">Of the messages up to ${toSeq}.</p>` : ''
  return html`<section>
    <h2>Summary</h2>
    <pre dir="auto">${preformatted(lines.join('\n'))}</pre>
    ${without}${outdated}
  </section> `
}

/**
 * A session as one page that needs nothing else: no script, no font, no address of another place. What was said stands there as
 * text, also where it looks like HTML.
 */
export async function* writeHtml({ head, messages, summary }: ExportedSession): AsyncIterable<string> {
  const title = head.title ?? `Session ${head.session_id}`
  // A page that was saved runs and loads nothing, whatever a browser would make of its text.
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  yield (
    await html`<!doctype html>
      <html lang="und">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta http-equiv="Content-Security-Policy" content="${policy}" />
          <title>${title}</title>
          <style>
            ${raw(style)}
          </style>
        </head>
        <body>
          <h1 dir="auto">${title}</h1>
          <dl>
            <dt>Session</dt>
            <dd>${head.session_id}</dd>
            <dt>Source</dt>
            <dd>${head.source}</dd>
            <dt>Messages</dt>
            <dd>${head.message_count}</dd>
            <dt>From</dt>
            <dd>${head.created_at} to ${head.last_active_at}</dd>
          </dl>
       `
  ).toString()
  for await (const message of messages) {
    const { row, body } = message
    const isShown = row.kind !== 'event' && ('error' in body || readableText(row, body.payload).length > 0)
    if (isShown) yield (await article(message)).toString()
  }
  const written = await summary()
  if (written !== undefined) yield (await summarySection(written)).toString()
  yield '</body>\n</html>\n'
}
