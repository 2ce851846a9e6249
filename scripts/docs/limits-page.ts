import { limits } from '../../src/limits.ts'
import { limitDescriptions } from './limit-descriptions.ts'
import { generatedNotice, table } from './markdown.ts'

const KiB = 1024
const MiB = KiB * KiB

/** A bound with its unit, which is the end of its name. */
export function limitValue(name: string, value: number): string {
  const number = value.toLocaleString('en-US')
  if (name.includes('Bytes')) {
    if (value % MiB === 0) return `${value / MiB} MiB (${number} bytes)`
    return value % KiB === 0 && value < MiB ? `${value / KiB} KiB (${number} bytes)` : `${number} bytes`
  }
  return name.endsWith('Ms') ? `${value / 1000} s` : number
}

export function limitsPage(): string {
  const rows = Object.entries(limits).map(([name, value]) => {
    const description = Object.entries(limitDescriptions).find(([described]) => described === name)?.[1]
    if (description === undefined || description.length === 0) {
      throw new Error(
        `Cannot write docs/limits.md as "${name}" has no description: add one to scripts/docs/limit-descriptions.ts`,
      )
    }
    return [`\`${name}\``, limitValue(name, value), description]
  })
  return `# Limits

${generatedNotice('src/limits.ts')}

A call that goes beyond a limit is refused: the error says what was too large, the limit and the current value, and
nothing is stored. Content is never cut to fit. These are constants of the program, not settings.

${table(['name', 'value', 'what it bounds'], rows)}

A request may have 10 MiB, over stdio as over HTTP: why a saved message may have 8 MiB.
`
}
