/** A list that a model wrote as JSON. */
export interface WrittenList {
  readonly items: readonly unknown[]
  /** Whether it was cut off: the items are those before that. */
  readonly isCut: boolean
}

/** Models put JSON into a fence of code now and then; where they were cut off, what is whole before that counts. Undefined where there is no list. */
export function listIn(answer: string): WrittenList | undefined {
  const json = answer.replace(/^```(?:json)?\s*|\s*```$/gu, '')
  const whole = arrayOf(json)
  if (whole !== undefined) return { items: whole, isCut: false }
  const cut = arrayOf(`${json.slice(0, json.lastIndexOf('},') + 1)}]`)
  return cut === undefined ? undefined : { items: cut, isCut: true }
}

function arrayOf(json: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
