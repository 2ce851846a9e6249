/** What one reply looks like, for docs/tools.md. A tool that is missing here fails the generation. */
export const replyNotes: ReadonlyMap<string, string> = new Map([
  [
    'save_message',
    '`session_id` and `message_id` are ours; `external_id`, where there is one, is your own session id. `seq` is the place in the session. `saved_at` is the time and `sha256` is of the stored bytes. `duplicate` says that this id and content were stored before. When the reply is there, the message is on disk.',
  ],
  ['save_messages', '`messages` has what `save_message` gives, one for each message, in their order.'],
  [
    'search_memory',
    '`results[]`, one a session, with `messages[]` in their order; a message that matched has `hit` with `rank`, `score` and `why`. Then `coverage`, `degraded`, `next_cursor`; where nothing was found also `unknown_names`, names of the filters that no session has. See [search.md](search.md).',
  ],
  [
    'get_session',
    'The session document: ids, times, totals, then `messages[]` with `content` exactly as saved, and `context_summary`. A message larger than a page comes as `content_part` pieces; `compact`, and with it `text`, cuts what is longer than 4,000 characters, with “…” and `truncated`, in `text` `cut`: it is whole in the view `full` as JSON. See [sessions.md](sessions.md).',
  ],
  [
    'recall_context',
    'As `search_memory`, with `why.reasons` of each message: it is about what the newest turns say or what was asked last, names the same files, errors or names, or followed on something similar. `names[]` are files, errors and identifiers that messages near these name, and the conversation does not yet: each with its message. What a session needs is looked for after each save, for who has asked for it in the last quarter of an hour. See [search.md](search.md#what-a-conversation-will-need).',
  ],
  [
    'list_sessions',
    '`sessions[]` are session documents without their messages, those without a title with the words they begin with (`begins_with`). Restricted sessions are left out. Where there are none, `unknown_names` says which names no session has, and which are nearly these. Nothing comes twice while one pages; a session that something is saved to meanwhile moves before the first page, and is seen when the list is asked for anew.',
  ],
  [
    'summarize',
    '`summary`, `citations[]` (the number of the sentence, a message id and its `seq`; across sessions its `session_id`; the words of one that is quoted), `made_by` (`gemini`, `openai_compatible`: written by the model that the settings name; `extractive`: made of sentences of the messages, without a model; `host`: written by your model and stored with `update_session`), `coverage`, and `degraded` where the model did not write it. See [sessions.md](sessions.md#summaries). A summary of a whole session is kept and shown as its `context_summary`; with `--read-only`, a token without `memory:write`, or the role of a reader in the session, it is not kept.',
  ],
  [
    'forget',
    'Without `confirm`: `status: "preview"`, how many `sessions`, `messages` and `bytes` would go, what else goes with them (`stores`), what is left alone (`held`, `not_yours`), and `confirm`. With it: the receipt, `status: "erased"` or `"anonymised"`, or `"pending"` while something does not answer and is erased later. See [erasure.md](erasure.md), and for `anonymise` [privacy.md](privacy.md#for-good): its preview says how often which kind of data would be `replaced`.',
  ],
  [
    'update_session',
    'The session document without its messages, after the change; with `summary` also `summary_check`: which of its sentences without a citation messages bear out, and which none does. See [sessions.md](sessions.md#summaries).',
  ],
  [
    'update_fact',
    'The fact after the change, as `memory://profile` shows it: with `id` (another one where its text was corrected), `text`, `said_by`, `since`, `until`, `pinned`, `made_by`, `sources[]`; of one that was deleted `id` and `deleted`. Whoever may write to the session that a fact comes from may change it. See [learning.md](learning.md#what-you-can-do).',
  ],
])

/**
 * What an argument means where the definition leaves that to its name, because each word of a definition is paid for
 * in every session. Key: `tool.argument`, or `*.argument` for all tools.
 */
const argumentNotes: ReadonlyMap<string, string> = new Map([
  ['*.cursor', '`next_cursor` of the page before'],
  ['*.session_id', 'Ours or your own'],
  ['*.since', 'Not before this time'],
  ['*.until', 'Not after this time'],
  ['*.max_tokens', 'Length of the reply; 300 at least'],
  ['get_session.max_tokens', 'Length of the reply; 500 at least'],
  ['get_session.from_seq', 'First message number'],
  ['*.format', '`text` for a model to read, `json` for a program'],
  ['save_message.sender', 'Who said it'],
  ['save_message.model', 'The model that wrote it'],
  ['save_message.tools_used', 'Names of the tools that it calls; default: those found in `content`'],
  ['save_message.tool_call_id', 'The call that a tool result answers'],
  ['save_message.metadata', 'Anything else, kept as JSON'],
  ['search_memory.limit', 'Hits of a page; neighbours do not count'],
  [
    'search_memory.mode',
    '`hybrid` searches by words and by meaning, `full_text` by words alone, `semantic` by meaning alone',
  ],
  ['search_memory.session_id', 'Only in this session'],
  ['search_memory.since', 'Not before this time'],
  ['search_memory.participants', 'Only messages of these senders, by exact name'],
  ['search_memory.models', 'Only messages of these models, by exact name'],
  ['search_memory.roles', 'Only messages of these roles, which are those of `save_message`'],
  ['search_memory.tools_used', 'Only messages that call one of these tools'],
  [
    'search_memory.flags',
    'Only messages that are flagged for one of these: `secrets`, `instructions` (docs/privacy.md)',
  ],
  ['search_memory.tags', 'Only sessions with all of these tags'],
  ['get_session.limit', 'Messages of a page'],
  ['get_session.view', '`compact`: text only'],
  ['get_session.format', '`json`: the session document; `text`: Markdown, in the compact view'],
  ['list_sessions.participant', 'Only sessions with this participant'],
  ['list_sessions.model', 'Only sessions that used this model'],
  ['list_sessions.since', 'Active at or after this time'],
  ['list_sessions.until', 'Begun at or before this time'],
  ['list_sessions.tag', 'Only sessions with this tag'],
  ['list_sessions.open', '`true`: not closed; `false`: closed'],
  ['list_sessions.limit', 'Sessions of a page'],
  ['save_message.session_id', 'One that was returned earlier, or your own; without it a session is opened'],
  ['save_messages.session_id', 'One that was returned earlier, or your own; without it a session is opened'],
  ['recall_context.session_id', 'The conversation that is recalled for; its newest 40 messages are not recalled'],
  ['summarize.query', 'In place of `session_id`: what all sessions say about this; also with `since` and `until`'],
  ['summarize.from_seq', 'First message; default: the first'],
  ['summarize.to_seq', 'Last message; default: the last'],
  [
    'summarize.style',
    '`brief`: a few sentences; `detailed`: as many as fit; `decisions`: what was decided; `handoff`: newest state, open questions, next steps',
  ],
  ['summarize.refresh', 'Stores the summary anew although a current one of this style is stored'],
  ['update_session.closed', '`false` reopens; a new message reopens too'],
  ['update_session.title', 'The title'],
  [
    'update_session.restricted',
    'Leaves the session out of search, lists, recall and summaries; its owner still reads it by its id',
  ],
  ['update_session.legal_hold', 'Keeps the session from being erased'],
  ['get_session.include_embeddings', 'None are made yet'],
  ['update_session.model', 'Who wrote the summary'],
  ['update_fact.fact_id', '`id` of a fact that `recall_context` or `memory://profile` shows'],
  ['update_fact.text', 'What it should say. One of `text`, `until`, `pinned` and `deleted` is given'],
  ['update_fact.until', 'When it ceased to hold'],
  ['update_fact.pinned', '`true`: first in every list, and kept whatever is said later; `false`: as any other again'],
  ['update_fact.deleted', '`true`: for good, and the same words do not bring it back'],
  ['forget.session_id', 'The whole session, or with others of these: its messages that meet them'],
  ['forget.message_id', 'One message; by an id of your own with `session_id`'],
  ['forget.participant', 'The messages of this sender, by exact name'],
  [
    'forget.action',
    '`erase`, the default; `anonymise` keeps the messages, and replaces for good the personal data that rules find in them',
  ],
  ['forget.confirm', '`confirm` of a preview of the same, at most 15 minutes old: it is done to what that has shown'],
  ['update_session.summary', 'Kept beside the messages and shown as `context_summary`'],
])

/** The meaning of an argument: the definition's words and the note. Throws where there is neither. */
export function argumentMeaning(tool: string, argument: string, description: string | undefined): string {
  const own = argumentNotes.get(`${tool}.${argument}`)
  const note = description === undefined ? (own ?? argumentNotes.get(`*.${argument}`)) : own
  const texts = [description, note].filter((text) => text !== undefined)
  if (texts.length === 0) {
    throw new Error(
      `Cannot write docs/tools.md as "${argument}" of "${tool}" is not described: add a note to scripts/docs/tool-notes.ts`,
    )
  }
  return texts.join('. ')
}
