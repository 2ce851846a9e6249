/** A number and what there is so many of: "1 row", "4 rows". */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
