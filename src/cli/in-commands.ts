/** Tools of MCP, and the commands that do the same. */
const commandOf: Readonly<Record<string, string>> = {
  list_sessions: 'sessions',
  search_memory: 'search',
  get_session: 'show',
}

/** What is said of tools otherwise than by their names alone, or of their arguments. */
const phrases: readonly (readonly [string, string])[] = [
  [
    'Call recall_context, read memory://profile, or run "verbatim facts list": they show',
    'Run "verbatim facts list": it shows',
  ],
  [', or update_session with restricted false', ''],
  ['Pass next_cursor of the previous page', 'Pass the cursor of the previous page'],
  ['Use mode "hybrid" or "full_text"', 'Use --mode hybrid or --mode full_text'],
  ['Give session_id, or query, or since and until', 'Give a session, or --query, or --since and --until'],
]

const call = new RegExp(`\\b(?:([Cc])all )?(${Object.keys(commandOf).join('|')})\\b`, 'g')

/**
 * What to do about an error, as the command line has it: errors are the same whoever asked, and most who ask are models, which are told of tools. Texts
 * of ours only: what a message quotes may be a name of somebody's.
 */
export function inCommands(remedy: string): string {
  let told = remedy
  for (const [tools, commands] of phrases) told = told.replace(tools, commands)
  return told.replace(call, (_all, letter: string | undefined, tool: string) => {
    const command = `"verbatim ${commandOf[tool]}"`
    if (letter === undefined) return command
    return `${letter === 'C' ? 'Run' : 'run'} ${command}`
  })
}
