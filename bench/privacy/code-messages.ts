import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { repositoryRoot } from '../machine.ts'

const fileBytesMax = 3_000_000
const textCharactersMin = 40
const linesPerMessage = 40
/** Packages whose sources are code as agents read it. */
const packages = ['hono', 'zod', 'drizzle-orm', 'postgres', 'commander', 'jose', '@modelcontextprotocol', '@aws-sdk']

function filesBelow(directory: string, name: RegExp): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return filesBelow(path, name)
    return entry.isFile() && name.test(entry.name) && statSync(path).size <= fileBytesMax ? [path] : []
  })
}

/** The texts in a JSON value that are more than a name. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.length >= textCharactersMin && /\s/u.test(value) ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Transcripts have damaged lines on purpose: nothing is to be read in them.
    return undefined
  }
}

/** What was said, called and answered in real transcripts of agents, each text once. */
export function transcriptTexts(directory: string): string[] {
  const texts = filesBelow(directory, /\.jsonl?$/u).flatMap((path) => {
    const text = readFileSync(path, 'utf8')
    return path.endsWith('l') ? text.split('\n').flatMap((line) => textsOf(parsed(line))) : textsOf(parsed(text))
  })
  return [...new Set(texts)]
}

/** Pieces of real source files, `count` of them taken evenly from all. */
export function codeTexts(count: number): string[] {
  const directories = ['src', ...packages.map((name) => join('node_modules', name))]
  const texts = directories
    .flatMap((directory) =>
      filesBelow(join(repositoryRoot, directory), /(?<!\.d|\.min)\.(?:ts|js|mjs|md|json|ya?ml)$/u),
    )
    .toSorted()
    .flatMap((path) => {
      const lines = readFileSync(path, 'utf8').split('\n')
      return Array.from({ length: Math.ceil(lines.length / linesPerMessage) }, (_, at) =>
        lines.slice(at * linesPerMessage, (at + 1) * linesPerMessage).join('\n'),
      )
    })
  const step = Math.max(texts.length / count, 1)
  return Array.from({ length: Math.min(count, texts.length) }, (_, at) => texts[Math.floor(at * step)] ?? '')
}
