import { expect, it, onTestFinished, vi } from 'vitest'

import { environment } from '../../src/environment.ts'

it('environment() passes on what finds files, settings of Verbatim, and what is given, but no settings of others', () => {
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('HOME', '/home/ada')
  vi.stubEnv('VERBATIM_HOME', '/memory')
  vi.stubEnv('VERBATIM_EMBEDDER', 'gemini')
  vi.stubEnv('DATABASE_URL', 'postgres://another')
  vi.stubEnv('GEMINI_API_KEY', 'another')
  const passed = environment({ VERBATIM_EMBEDDER: 'none', AWS_REGION: 'eu' })
  expect(passed).toMatchObject({
    HOME: '/home/ada',
    PATH: process.env['PATH'],
    VERBATIM_HOME: '/memory',
    VERBATIM_EMBEDDER: 'none',
    AWS_REGION: 'eu',
  })
  expect(passed).not.toHaveProperty('DATABASE_URL')
  expect(passed).not.toHaveProperty('GEMINI_API_KEY')
  expect(environment({ DATABASE_URL: 'postgres://mine' })).toHaveProperty('DATABASE_URL', 'postgres://mine')
})
