import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { codeOf, UnavailableError } from '../errors.ts'
import { scopes, type Caller } from '../model/access.ts'
import { findToken } from '../store/access-tokens.ts'
import type { Database } from '../store/database.ts'
import { hashToken, newTokenText, storeToken } from './access-tokens.ts'

export interface FirstToken {
  /** The file that holds it, readable by its owner only. */
  readonly path: string
  /** False where it was revoked since. */
  readonly isGood: boolean
}

/**
 * The token of whoever runs the server: made at the first start and kept in the home. A store that does not know it, as
 * DATABASE_URL names another than before, is told of it.
 */
export async function ensureFirstToken(database: Database, caller: Caller, home: string): Promise<FirstToken> {
  const path = join(home, 'token')
  const token = keptToken(path)
  const sha256 = hashToken(token)
  if (sha256 === undefined)
    throw new UnavailableError(`Cannot use the file "${path}" as it holds no access token`, {
      remedy: 'Remove it: another is made at the next start',
    })
  const known = await database.run((sql) => findToken(sql, sha256))
  if (known !== undefined) return { path, isGood: true }
  await storeToken(database, caller, { token, name: 'first', scopes })
  return { path, isGood: (await database.run((sql) => findToken(sql, sha256)))?.isGood === true }
}

/** Of several processes that start at once one makes the file, and the others read it. */
function keptToken(path: string): string {
  if (!existsSync(path)) {
    // Written beside its place, so that nobody reads half of it.
    const temporary = `${path}.${randomUUID()}`
    writeFileSync(temporary, `${newTokenText()}\n`, { flag: 'wx', mode: 0o600 })
    try {
      linkSync(temporary, path)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    } finally {
      rmSync(temporary, { force: true })
    }
  }
  return readFileSync(path, 'utf8').trim()
}
