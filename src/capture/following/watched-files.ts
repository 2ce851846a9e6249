import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

import { codeOf } from '../../errors.ts'
import type { LocalUser } from '../../model/local-user.ts'
import { lookAtPlaces } from '../../transcripts/registry.ts'
import { listFiles, type PassedOver } from '../documents/list-files.ts'

/** What is there now of what is followed. */
export interface WatchedFiles {
  readonly files: readonly { readonly path: string; readonly format?: string | undefined }[]
  /** Where files may come or change. */
  readonly directories: ReadonlySet<string>
  readonly passedOver: readonly PassedOver[]
}

/** The files at the known places of some clients of this machine, or of all. */
export async function watchedPlaces(user: LocalUser, sources?: readonly string[]): Promise<WatchedFiles> {
  const places = await lookAtPlaces(user, sources)
  const directories = new Set<string>()
  for (const place of places) {
    for (const directory of place.directories) directories.add(directory)
    if (place.directories.length === 0) directories.add(await nearestDirectory(place.path))
  }
  return {
    files: places.flatMap(({ files, format }) => files.map((path) => ({ path, format: format.name }))),
    directories,
    passedOver: places.flatMap(({ path, problems }) =>
      problems.map((reason): PassedOver => ({ path, status: 'failed', reason })),
    ),
  }
}

/** The files at some paths and below them; a path may come later. */
export async function watchedPaths(paths: readonly string[], format: string | undefined): Promise<WatchedFiles> {
  const directories = new Set<string>()
  const passedOver: PassedOver[] = []
  const files = await listFiles(paths, {
    found: true,
    onPassedOver: (path) => passedOver.push(path),
    onDirectory: (path) => directories.add(path),
  })
  // Also of a file that is named: it may be replaced by another.
  for (const path of paths) directories.add(await nearestDirectory(dirname(resolve(path))))
  return { files: files.map(({ path }) => ({ path, format })), directories, passedOver }
}

/** A directory, or what is there of the way to it. */
async function nearestDirectory(path: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) return path
  } catch (error) {
    if (codeOf(error) === undefined) throw error
  }
  const above = dirname(path)
  return above === path ? path : await nearestDirectory(above)
}
