import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

let root: URL | undefined

/**
 * A file of this package by its path below the package's directory. A module cannot know by itself how deep it stands: in `src`
 * each has its place, and the build joins many into one file.
 */
export function packageFile(path: string): string {
  root ??= packageRoot()
  return fileURLToPath(new URL(path, root))
}

function packageRoot(): URL {
  let directory = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', directory))) {
    const above = new URL('..', directory)
    if (above.href === directory.href) throw new Error('There is no package.json above the files of Verbatim')
    directory = above
  }
  return directory
}
