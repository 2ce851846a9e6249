import { describe, expect, onTestFinished, test } from 'vitest'

import { writeNamesModel } from '../support/onnx-names-model.ts'
import { hasOnnxPackages } from '../support/onnx-packages.ts'
import { temporaryDirectory } from '../support/transcripts.ts'
import { Home } from './support/home.ts'
import { Tools } from './support/tools.ts'

if (!hasOnnxPackages)
  console.warn(
    'Skipped: names by a model on this machine, as onnxruntime-node and @huggingface/tokenizers are not installed',
  )

/** Rules take neither for a name. */
const told = 'The keys are with Quillfeather since Tuesday, near Ostwick.'

async function openHome(path: string): Promise<Home> {
  const home = new Home()
  await home.makeDatabase()
  home.settings = { VERBATIM_EMBEDDER: 'none', VERBATIM_NAMES: 'local', VERBATIM_NAMES_PATH: path }
  onTestFinished(() => home.dispose())
  return home
}

const names = async (home: Home) => /^names +(.*)$/mu.exec((await home.cli(['status'])).stdout)?.[1] ?? ''

describe('names by a model on this machine', () => {
  test.skipIf(!hasOnnxPackages)('are masked in the views of the session', async () => {
    const path = await writeNamesModel(await temporaryDirectory(), { Quillfeather: 'B-PER', Ostwick: 'B-LOC' })
    const home = await openHome(path)
    await (await home.tools()).save({ session_id: 'harbour', content: told, sender: 'assistant' })
    await expect
      .poll(() => names(home), { timeout: 60_000, interval: 500 })
      .toBe('by rules, and by a model on this machine in 1 of 1 message')
    const exported = await home.cli(['export', 'harbour', '--view', 'redacted'])
    expect(exported.stdout).toContain('The keys are with [person] since Tuesday, near [place].')
    expect(exported.stderr).toContain('and by a model on this machine in 1 of 1.')
    expect((await home.cli(['privacy', 'record'])).stdout).toContain('on, also by a model on this machine')
  })

  test('are by rules while there is none, which is said', async () => {
    const home = await openHome(await temporaryDirectory())
    await new Tools(await home.connect()).save({ session_id: 'harbour', content: told, sender: 'assistant' })
    await expect
      .poll(() => names(home), { timeout: 60_000, interval: 500 })
      .toMatch(/in 0 of 1 message, 1 waits to be read, waits: Cannot use onnx as what it needs is not installed/)
    const exported = await home.cli(['export', 'harbour', '--view', 'redacted'])
    expect(exported.stdout).toContain(told)
    expect(exported.stderr).toContain('in 0 of 1.')
  })
})
