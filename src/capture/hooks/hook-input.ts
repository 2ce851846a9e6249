import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, isAbsolute, join } from 'node:path'

import { z } from 'zod'

import { codeOf, InputError, NotFoundError } from '../../errors.ts'
import type { LocalUser } from '../../model/local-user.ts'
import { unreadable } from '../../transcripts/bytes/file-bytes.ts'
import { detectFormat, lookAtPlaces } from '../../transcripts/registry.ts'

/** The clients whose hooks are understood; also the names of their transcripts' formats. */
export const hookClients = ['claude-code', 'codex'] as const
export type HookClient = (typeof hookClients)[number]

/** How the names of transcripts end; Codex compresses old ones. */
const namesOfTranscripts: ReadonlySet<string> = new Set(['.jsonl', '.zst'])

/** What Claude Code and Codex hand to a hook, and what Codex hands to its notify program, as far as it is needed here. */
const inputSchema = z.looseObject({
  transcript_path: z.string().min(1).nullish(),
  agent_transcript_path: z.string().min(1).nullish(),
  session_id: z.string().min(1).nullish(),
  'thread-id': z.string().min(1).nullish(),
  hook_event_name: z.string().nullish(),
})

/** What a hook names. */
export interface HookedTranscripts {
  readonly paths: readonly string[]
  /** Whether the session has ended: its client writes no more of it. */
  readonly hasEnded: boolean
}

/**
 * The transcripts that a hook's input names, by absolute path. Throws InputError where it is not what the client hands out,
 * and NotFoundError where it names a session of which no transcript is found.
 */
export async function transcriptsOfHook(
  client: HookClient,
  input: string,
  user: LocalUser,
): Promise<HookedTranscripts> {
  const read = readInput(client, input)
  return { paths: await pathsOf(client, read, user), hasEnded: read.hook_event_name === 'SessionEnd' }
}

async function pathsOf(client: HookClient, read: z.infer<typeof inputSchema>, user: LocalUser): Promise<string[]> {
  const named = [read.transcript_path, read.agent_transcript_path].flatMap((path) =>
    path === null || path === undefined ? [] : [absolute(client, path)],
  )
  for (const path of named) await refuseNoTranscript(client, path)
  if (client === 'claude-code') {
    if (named[0] === undefined) throw notTheInput(client, 'it names no transcript_path')
    return [...new Set([...named, ...(await subagentsOf(named[0]))])]
  }
  if (named.length > 0) return named
  const id = read['thread-id'] ?? read.session_id
  if (id === null || id === undefined) throw notTheInput(client, 'it names neither transcript_path nor thread-id')
  return await rolloutsOf(id, user)
}

function readInput(client: HookClient, input: string): z.infer<typeof inputSchema> {
  try {
    return inputSchema.parse(JSON.parse(input))
  } catch (error) {
    // The reason would quote what was said in the session.
    throw notTheInput(client, 'it is no JSON object with the fields of one', error)
  }
}

function notTheInput(client: HookClient, why: string, cause?: unknown): InputError {
  return new InputError(`Cannot take the input of a hook of ${client} as ${why}`, {
    remedy: 'Configure it as docs/capture.md shows: the client hands the input over',
    cause,
  })
}

function absolute(client: HookClient, path: string): string {
  const full = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
  if (!isAbsolute(full)) throw notTheInput(client, `its path is not absolute: ${JSON.stringify(path)}`)
  return full
}

/**
 * Throws InputError where a path leads to what can be no transcript. One that is not there yet may come, and what has the
 * name of one is looked at when it is imported: the client waits for this.
 */
async function refuseNoTranscript(client: HookClient, path: string): Promise<void> {
  const shown = JSON.stringify(path)
  let found: Stats
  try {
    found = await stat(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return
    if (code === 'ENOTDIR') throw notTheInput(client, `its path goes on below a file: ${shown}`, error)
    throw code === undefined ? error : unreadable(path, error)
  }
  if (found.isDirectory()) throw notTheInput(client, `its path is that of a directory: ${shown}`)
  // What is no file, as a pipe, might be waited for.
  if (!found.isFile()) throw notTheInput(client, `its path is not that of a file: ${shown}`)
  if (namesOfTranscripts.has(extname(path)) || (await detectFormat(path, client)) !== undefined) return
  throw notTheInput(client, `its path is that of a file which is no transcript of ${client}: ${shown}`)
}

/** Claude Code keeps the transcripts of a session's subagents in a directory of the session's name. */
async function subagentsOf(transcript: string): Promise<string[]> {
  const directory = join(dirname(transcript), basename(transcript, '.jsonl'), 'subagents')
  try {
    const names = await readdir(directory)
    return names.filter((name) => name.endsWith('.jsonl')).map((name) => join(directory, name))
  } catch (error) {
    const code = codeOf(error)
    // Without an ending, the name of the directory would be that of the transcript itself.
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw code === undefined ? error : unreadable(directory, error)
  }
}

/** Codex's notify names the thread and no path; a rollout has the thread's id in its name. */
async function rolloutsOf(id: string, user: LocalUser): Promise<string[]> {
  const places = await lookAtPlaces(user, ['codex'])
  const found = places.flatMap(({ files }) => files).filter((path) => basename(path).includes(`-${id}.jsonl`))
  if (found.length > 0) return found
  throw new NotFoundError(`No rollout of the thread ${JSON.stringify(id)} is below the places of Codex`, {
    remedy: 'Set CODEX_HOME for the hook as it is for Codex',
  })
}
