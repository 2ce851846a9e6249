import { homedir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { readConfig } from '../../src/config.ts'
import { InputError } from '../../src/errors.ts'

type Environment = Readonly<Record<string, string>>

function refusal(environment: Environment): string {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof InputError) return `${error.message}. ${error.remedy}`
    throw error
  }
  throw new Error('Expected an InputError')
}

const server = { VERBATIM_EMBEDDER_URL: 'http://127.0.0.1:8080/v1', VERBATIM_EMBEDDING_MODEL: 'nomic' }
const key = { GEMINI_API_KEY: 'AIza1' }

describe('readConfig() on the embedder', () => {
  it.each<[string, Environment, object]>([
    ['local where nothing is set', {}, { kind: 'local' }],
    ['gemini where a key is set', key, { kind: 'gemini', apiKey: 'AIza1' }],
    ['gemini by the other name of its key', { GOOGLE_API_KEY: 'AIza2' }, { kind: 'gemini', apiKey: 'AIza2' }],
    ['gemini by the first of two keys', { ...key, GOOGLE_API_KEY: 'AIza2' }, { kind: 'gemini', apiKey: 'AIza1' }],
    [
      'gemini with all that it takes',
      {
        GEMINI_API_KEY: ' AIza1\n',
        VERBATIM_EMBEDDER: 'gemini',
        VERBATIM_EMBEDDER_URL: 'http://127.0.0.1:9000',
        VERBATIM_EMBEDDING_MODEL: 'gemini-embedding-001',
        VERBATIM_EMBEDDING_DIMENSIONS: '1536',
      },
      {
        kind: 'gemini',
        apiKey: 'AIza1',
        baseUrl: 'http://127.0.0.1:9000',
        model: 'gemini-embedding-001',
        dimensions: 1_536,
      },
    ],
    [
      'a server that is named',
      server,
      { kind: 'openai-compatible', url: server.VERBATIM_EMBEDDER_URL, model: 'nomic' },
    ],
    ['a server, whatever key is there for other programs', { ...server, ...key }, { kind: 'openai-compatible' }],
    [
      'a server with all that it takes',
      { ...server, VERBATIM_EMBEDDER_KEY: 'sk-1', VERBATIM_EMBEDDING_DIMENSIONS: '256' },
      { kind: 'openai-compatible', apiKey: 'sk-1', dimensions: 256 },
    ],
    ['another local model', { VERBATIM_EMBEDDER_PATH: '/models/e5' }, { kind: 'onnx', directory: '/models/e5' }],
    ['a model in the home', { VERBATIM_EMBEDDER_PATH: '~/e5' }, { kind: 'onnx', directory: join(homedir(), 'e5') }],
    ['another local model, whatever key', { ...key, VERBATIM_EMBEDDER_PATH: '/e5' }, { kind: 'onnx' }],
    ['local where it is asked for, whatever key', { ...key, VERBATIM_EMBEDDER: 'local' }, { kind: 'local' }],
    ['none, whatever else is set', { ...server, ...key, VERBATIM_EMBEDDER: 'none' }, { kind: 'none' }],
    ['local where all is empty', { VERBATIM_EMBEDDER: '', GEMINI_API_KEY: '' }, { kind: 'local' }],
  ])('chooses %s', (_name, environment, expected) => {
    expect(readConfig(environment).embedder).toMatchObject(expected)
  })

  it.each<[string, Environment, string]>([
    ['gemini without a key', { VERBATIM_EMBEDDER: 'gemini' }, 'GEMINI_API_KEY'],
    ['a server without an address', { VERBATIM_EMBEDDER: 'openai-compatible' }, 'VERBATIM_EMBEDDER_URL'],
    ['a server without a model', { VERBATIM_EMBEDDER_URL: 'http://localhost' }, 'VERBATIM_EMBEDDING_MODEL'],
    ['a key for a server, and no server', { VERBATIM_EMBEDDER_KEY: 'sk-secret' }, 'VERBATIM_EMBEDDER_KEY'],
    ['a key of the wrong name', { ...key, VERBATIM_EMBEDDER_KEY: 'sk-secret' }, 'GEMINI_API_KEY|VERBATIM_EMBEDDER_KEY'],
    ['a server and a directory', { ...server, VERBATIM_EMBEDDER_PATH: '/e5' }, 'VERBATIM_EMBEDDER_PATH'],
    ['local and a server', { ...server, VERBATIM_EMBEDDER: 'local' }, 'VERBATIM_EMBEDDER_URL'],
    ['local and another model by its name', { VERBATIM_EMBEDDING_MODEL: 'e5' }, 'VERBATIM_EMBEDDING_MODEL'],
    [
      'dimensions that the local model has not',
      { VERBATIM_EMBEDDING_DIMENSIONS: '512' },
      'VERBATIM_EMBEDDING_DIMENSIONS',
    ],
    [
      'gemini and a directory',
      { ...key, VERBATIM_EMBEDDER: 'gemini', VERBATIM_EMBEDDER_PATH: '/e5' },
      'VERBATIM_EMBEDDER_PATH',
    ],
    ['a relative path', { VERBATIM_EMBEDDER_PATH: 'models/e5' }, 'VERBATIM_EMBEDDER_PATH'],
    ['an address without its scheme', { ...server, VERBATIM_EMBEDDER_URL: 'localhost:8080' }, 'VERBATIM_EMBEDDER_URL'],
    [
      'a key in an address',
      { ...server, VERBATIM_EMBEDDER_URL: 'http://u:sk-secret@host/v1' },
      'VERBATIM_EMBEDDER_URL',
    ],
    [
      'a key behind an address',
      { ...server, VERBATIM_EMBEDDER_URL: 'http://host/v1?key=sk-secret' },
      'VERBATIM_EMBEDDER_URL',
    ],
    ['no dimensions', { ...server, VERBATIM_EMBEDDING_DIMENSIONS: '0' }, 'VERBATIM_EMBEDDING_DIMENSIONS'],
    ['another embedder', { VERBATIM_EMBEDDER: 'openai' }, 'VERBATIM_EMBEDDER'],
  ])('refuses %s, names the setting and shows no key', (_name, environment, setting) => {
    const text = refusal(environment)
    expect(text).toMatch(new RegExp(setting))
    expect(text).not.toContain('sk-secret')
    expect(text).not.toContain('AIza1')
  })
})

describe('readConfig() on the daily tokens', () => {
  it('has two millions where nothing is said, and takes none', () => {
    expect(readConfig({}).dailyTokens).toBe(2_000_000)
    expect(readConfig({ VERBATIM_DAILY_TOKENS: '0' }).dailyTokens).toBe(0)
  })

  it.each(['-1', '1.5', 'many'])('refuses %s', (value) => {
    expect(refusal({ VERBATIM_DAILY_TOKENS: value })).toContain('VERBATIM_DAILY_TOKENS')
  })
})
