import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { codeOf } from '../../src/errors.ts'

/** A word as it may be written: as it is, in hexadecimal, in base64 wherever it begins in a group of three, in UTF-16. */
export function formsOf(word: string): Buffer[] {
  const bytes = Buffer.from(word)
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // The first and the last characters depend on what stands beside the word.
    return text.slice(before === 0 ? 0 : before + 1, -2)
  })
  const utf16 = Buffer.from(word, 'utf16le')
  const texts = [word, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64]
  return [...texts.map((text) => Buffer.from(text)), utf16, Buffer.from(utf16).swap16()]
}

/** What is read of a file or a directory; `gone` where it is not there any more, as files and databases of a server come and go. */
function unlessGone<T>(read: () => T, gone: T): T {
  try {
    return read()
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return gone
  }
}

function* filesBelow(directory: string): Generator<string> {
  for (const entry of unlessGone(() => readdirSync(directory, { withFileTypes: true }), [])) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else if (entry.isFile()) yield path
  }
}

/** The files below some directories that hold a word, in whatever form. */
export function filesWith(directories: readonly string[], word: string): string[] {
  const forms = formsOf(word)
  const found: string[] = []
  for (const directory of directories)
    for (const path of filesBelow(directory)) {
      const bytes = unlessGone(() => readFileSync(path), Buffer.alloc(0))
      if (forms.some((form) => bytes.includes(form))) found.push(path)
    }
  return found
}
