import { existsSync } from 'node:fs'

import { describeSettings } from '../../src/config.ts'
import { productCommand, type ServerCommand } from '../server-process.ts'
import type { DatasetName } from './dataset.ts'

export const settingNames = ['lexical', 'plain', 'local', 'dense', 'live'] as const
export type SettingName = (typeof settingNames)[number]

/** How the server is composed that one column of the results is of. */
export interface Setting {
  readonly name: SettingName
  readonly title: string
  readonly datasets: readonly DatasetName[]
  /** Why it cannot be measured here, or undefined where it can. */
  readonly skipped: string | undefined
  readonly command: (env: Readonly<Record<string, string>>) => ServerCommand
}

const embedderName = 'VERBATIM_EMBEDDER'
/** Verbatim refuses settings that it does not know, so that one which is not there yet must not be passed. */
const hasEmbedder = describeSettings().some(({ name }) => name === embedderName)
const noEmbedder = hasEmbedder ? undefined : 'this version searches by words only'

function withEmbedder(embedder: string): Setting['command'] {
  return (env) => productCommand(hasEmbedder ? { ...env, [embedderName]: embedder } : env)
}

/** The server of the replayed ranking is no part of the product: it is composed in a file of this folder. */
const replayServer = new URL('replay-server.ts', import.meta.url)

/** The settings that can be measured, and for the others the reason. `environment` says which keys there are. */
export function recallSettings(environment: Readonly<Record<string, string | undefined>>): readonly Setting[] {
  const key = ['GEMINI_API_KEY', 'GOOGLE_API_KEY'].find((name) => (environment[name] ?? '') !== '')
  return [
    {
      name: 'lexical',
      title: 'words alone',
      datasets: ['locomo', 'beam'],
      skipped: undefined,
      command: withEmbedder('none'),
    },
    {
      name: 'plain',
      title: 'words alone, in a store that is not encrypted',
      datasets: ['locomo'],
      skipped: undefined,
      command: (env) => withEmbedder('none')({ ...env, VERBATIM_ENCRYPTION: 'off' }),
    },
    {
      name: 'local',
      title: 'words and the local embedder',
      datasets: ['locomo', 'beam'],
      skipped: noEmbedder,
      command: withEmbedder('local'),
    },
    {
      name: 'dense',
      title: 'words and the published ranking of text-embedding-3-small',
      datasets: ['locomo'],
      skipped: noEmbedder ?? (existsSync(replayServer) ? undefined : 'no server replays the published ranking yet'),
      command: (env) => ({
        args: ['--import', 'tsx', replayServer.pathname],
        env: { ...env, [embedderName]: 'none' },
      }),
    },
    {
      name: 'live',
      title: 'words and Gemini',
      datasets: ['locomo', 'beam'],
      skipped: noEmbedder ?? (key === undefined ? 'neither GEMINI_API_KEY nor GOOGLE_API_KEY is set' : undefined),
      command: withEmbedder('gemini'),
    },
  ]
}
