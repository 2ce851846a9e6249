import { describe, expect, it } from 'vitest'

import { readConfig } from '../../src/config.ts'
import { InputError } from '../../src/errors.ts'

function refusal(environment: Readonly<Record<string, string>>): InputError {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error('Expected an InputError')
}

const pinecone = { VERBATIM_VECTORS: 'pinecone', PINECONE_API_KEY: 'pcsk_1' }

describe('readConfig() on vectors', () => {
  it('keeps them in the database where nothing is said, whatever other programs have set', () => {
    expect(readConfig({}).vectors).toEqual({ kind: 'pgvector' })
    expect(readConfig({ PINECONE_API_KEY: 'pcsk_1', PINECONE_INDEX: 'Not A Name' }).vectors).toEqual({
      kind: 'pgvector',
    })
    expect(readConfig({ VERBATIM_VECTORS: 'none' }).vectors).toEqual({ kind: 'none' })
  })

  it('takes what Pinecone needs', () => {
    expect(readConfig(pinecone).vectors).toEqual({ kind: 'pinecone', apiKey: 'pcsk_1', index: 'verbatim' })
    const all = { ...pinecone, PINECONE_INDEX: 'other-384', PINECONE_CONTROLLER_HOST: 'http://127.0.0.1:5080' }
    expect(readConfig(all).vectors).toEqual({
      kind: 'pinecone',
      apiKey: 'pcsk_1',
      index: 'other-384',
      controllerHostUrl: 'http://127.0.0.1:5080',
    })
  })

  it.each([
    ['no key', { VERBATIM_VECTORS: 'pinecone' }, 'PINECONE_API_KEY'],
    ['a name that Pinecone does not take', { ...pinecone, PINECONE_INDEX: '-a' }, 'PINECONE_INDEX'],
    ['an address that is none', { ...pinecone, PINECONE_CONTROLLER_HOST: 'localhost' }, 'PINECONE_CONTROLLER_HOST'],
    ['a kind that is none', { VERBATIM_VECTORS: 'qdrant' }, 'VERBATIM_VECTORS'],
  ])('refuses %s and names the setting, never the key', (_name, environment, setting) => {
    const { message, remedy } = refusal(environment)
    expect(`${message} ${remedy}`).toContain(setting)
    expect(`${message} ${remedy}`).not.toContain('pcsk')
  })
})
