import { InvalidArgumentError } from 'commander'

/** A parser for a whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (!Number.isInteger(number) || number < min || number > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
    return number
  }
}

/** Collects an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value]
}

/** As `collect`, for an option that takes only some values, each also as `!value`. */
export function collectOneOf(
  choices: readonly string[],
): (value: string, previous: readonly string[] | undefined) => readonly string[] {
  return (value, previous) => {
    if (!choices.includes(value.replace(/^!/, '')))
      throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}, each also with a "!" in front.`)
    return [...(previous ?? []), value]
  }
}

/** A parser for names of sources, separated by commas. */
export function collectSources(choices: readonly string[]): (value: string) => readonly string[] {
  return (value) => {
    const names = value.split(',').map((name) => name.trim())
    const unknown = names.filter((name) => !choices.includes(name))
    if (unknown.length > 0)
      throw new InvalidArgumentError(
        `Allowed are ${choices.join(', ')}, separated by commas; not ${unknown.join(', ')}.`,
      )
    return names
  }
}
