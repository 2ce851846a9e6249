import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Peer } from './peer.ts'

/** Native modules are compiled where no built one can be had, which took up to four minutes. */
const installMsMax = 900_000

/**
 * Installs the packages of a peer into a directory of its own below `cache`, at their exact versions, and returns it. What
 * was installed before is used. Throws where npm fails.
 */
export function installPeer(peer: Peer, cache: string): string {
  const directory = join(cache, peer.packages.map((name) => name.replaceAll('/', '-')).join('+') || peer.name)
  const marker = join(directory, 'installed')
  if (existsSync(marker)) return directory
  mkdirSync(directory, { recursive: true })
  // Without a package.json of its own, npm would install into that of a directory above.
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  if (peer.packages.length > 0)
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...peer.packages], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: installMsMax,
    })
  writeFileSync(marker, '')
  return directory
}
