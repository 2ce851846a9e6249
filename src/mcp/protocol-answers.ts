import { InputError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { isJsonObject } from '../model/json/json.ts'
import type { Verbatim } from '../verbatim.ts'

export type Params = Readonly<Record<string, unknown>> | undefined

/** A parameter that is a text; undefined for anything else. */
export function text(params: Params, name: string): string | undefined {
  const value = params?.[name]
  return typeof value === 'string' ? value : undefined
}

/** Writes a prompt out. InputError for one that there is not. */
export async function getPrompt(verbatim: Verbatim, caller: Caller, params: Params) {
  const name = text(params, 'name')
  const { promptArgument, prompts } = await import('./prompts.ts')
  const prompt = prompts.find((candidate) => candidate.name === name)
  if (prompt === undefined) {
    throw new InputError(`Unknown prompt "${name}"`, {
      remedy: `Prompts: ${prompts.map((known) => known.name).join(', ')}`,
    })
  }
  const value = promptArgument(prompt, params?.['arguments'])
  const written = await prompt.write(verbatim, caller, value)
  return {
    description: prompt.description,
    messages: [{ role: 'user' as const, content: { type: 'text' as const, text: written } }],
  }
}

/** The protocol lets a completion have this many values. */
const completionsMax = 100

/** Completes the ids of sessions; anything else has no completions. */
export async function complete(verbatim: Verbatim, caller: Caller, params: Params) {
  const argument = isJsonObject(params?.['argument']) ? params['argument'] : {}
  const prefix =
    argument['name'] === 'session_id' && typeof argument['value'] === 'string' ? argument['value'] : undefined
  const values = prefix === undefined ? [] : await verbatim.completeSessionId(caller, { prefix, limit: completionsMax })
  return { completion: { values, total: values.length, hasMore: values.length === completionsMax } }
}
