/** A number and what there is so many of: "1 row", "4 rows", "2 new entries". */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : things}`
}

/** The same by the name of several: "1 summary" of `summaries`. */
export function countedOf(count: number, things: string): string {
  return counted(count, singularOf(things), things)
}

/** A word as it is after "1 …", or after any other number. */
export function agreed(count: number, one: string, several: string): string {
  return count === 1 ? one : several
}

/** Of a list that is cut off: what it does not name. */
export function onlyCounted(count: number): string {
  return `${counted(count, 'further one')} ${agreed(count, 'is', 'are')} only counted`
}

function singularOf(things: string): string {
  if (things.endsWith('ies')) return `${things.slice(0, -3)}y`
  if (/(?:sh|ch|ss)es$/.test(things)) return things.slice(0, -2)
  return things.endsWith('s') ? things.slice(0, -1) : things
}
