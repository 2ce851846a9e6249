import { homedir } from 'node:os'

import { processEnvironment, type Config } from '../config.ts'
import { counted } from '../model/text/counted.ts'
import { findClients } from '../setup/setup.ts'
import { findTranscripts } from '../transcripts/registry.ts'
import { commandName } from './command-name.ts'

/** What a person sees who starts the server by hand in a terminal: on stderr, since stdout is the protocol's. */
export async function greet(about: { readonly version: string; readonly config: Config }): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  say(
    `Verbatim ${about.version}: an MCP server on stdin and stdout. It waits for an MCP client; end it with Ctrl-D or Ctrl-C.`,
  )
  say(`Store: ${about.config.home}`)
  const places = await findTranscripts(homedir(), processEnvironment())
  const histories = places.filter(({ files }) => files.length > 0)
  for (const { format, path, files } of histories)
    say(`Found ${counted(files.length, `${format.label} file`)} in ${path}`)
  if (histories.length > 0) say(`  Import them in another terminal: ${commandName()} import`)
  const clients = await findClients({ home: homedir(), platform: process.platform, env: processEnvironment() })
  const open = clients.filter(({ installed, configured }) => installed && !configured)
  for (const { label, client } of open)
    say(`Found ${label}, not configured yet. Configure it: ${commandName()} setup ${client}`)
  if (histories.length === 0 && open.length === 0)
    say(`Next: "${commandName()} setup" shows how to add it to an MCP client, "${commandName()} --help" the commands.`)
}
