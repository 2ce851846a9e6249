/** The line under the title of every generated page. */
export function generatedNotice(source: string): string {
  return `This page is made from \`${source}\` by \`npm run docs\`. Do not edit it.`
}

/** A Markdown table; a bar inside a cell would end the cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
