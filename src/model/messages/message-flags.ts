/** In what way a text reads as if it told a model what to do. */
export const instructionKinds = [
  'override',
  'role_marker',
  'tool_call',
  'hidden_text',
  'secrecy',
  'exfiltration',
  'persona',
  'addressed_to_model',
  'memory',
  'fence',
] as const
export type InstructionKind = (typeof instructionKinds)[number]

/** What the text of a message is flagged for. Kinds and numbers alone, never the text itself; absent where nothing was found. */
export interface MessageFlags {
  /** How many different secrets of each kind it holds. */
  readonly secrets?: Readonly<Record<string, number>>
  /** How it reads like instructions to a model. */
  readonly instructions?: readonly InstructionKind[]
}

/** What one can search for. */
export const flagNames = ['secrets', 'instructions'] as const
export type FlagName = (typeof flagNames)[number]

export function isFlagged(flags: MessageFlags | undefined): flags is MessageFlags {
  return flags?.secrets !== undefined || flags?.instructions !== undefined
}

/** As one reads it: `holds secrets (github_token), reads like instructions (override)`. Undefined where nothing was found. */
export function describeFlags(flags: MessageFlags | undefined): string | undefined {
  const secrets = Object.entries(flags?.secrets ?? {}).map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`))
  const instructions = flags?.instructions ?? []
  const said = [
    ...(secrets.length === 0 ? [] : [`holds secrets (${secrets.join(', ')})`]),
    ...(instructions.length === 0 ? [] : [`reads like instructions (${instructions.join(', ')})`]),
  ]
  return said.length === 0 ? undefined : said.join(', ')
}
