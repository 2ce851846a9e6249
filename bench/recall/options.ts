import { readBeam } from './beam.ts'
import type { Dataset, DatasetName } from './dataset.ts'
import { readLocomo } from './locomo.ts'

/** Those of some names that a comma-separated list gives, in their own order. Throws where it gives another. */
export function chosenOf<T extends string>(list: string, names: readonly T[]): readonly T[] {
  const given = list.split(',')
  const unknown = given.find((name) => !names.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of: ${names.join(', ')}`)
  return names.filter((name) => given.includes(name))
}

/** A number of questions, where one was given. */
export function limitOf(text: string | undefined): number | undefined {
  const limit = text === undefined ? undefined : Number(text)
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new Error('--limit takes a number of questions')
  return limit
}

const readers = { locomo: readLocomo, beam: readBeam } as const

/** The data that are there; for the others a note. */
export async function readDatasets(
  names: readonly DatasetName[],
): Promise<{ readonly datasets: readonly Dataset[]; readonly notes: readonly string[] }> {
  const datasets: Dataset[] = []
  const notes: string[] = []
  for (const name of names) {
    const dataset = await readers[name]()
    if (dataset === undefined) notes.push(`${name} was not measured: its data are not beside the repository.`)
    else datasets.push(dataset)
  }
  return { datasets, notes }
}
