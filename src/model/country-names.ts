const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')

/** The names of all countries, as the platform knows them, in English and as they are also called. */
export function countryNames(): string[] {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  const codes = letters.flatMap((first) => letters.map((second) => `${first}${second}`))
  const known = codes.flatMap((code) => names.of(code) ?? [])
  return [
    ...new Set([
      ...known,
      'Czech Republic',
      'Ivory Coast',
      'Great Britain',
      'Burma',
      'Swaziland',
      'Macedonia',
      'Cape Verde',
      'East Timor',
    ]),
  ]
    .filter((name) => /^\p{L}[\p{L} .'’&-]{3,}$/u.test(name) && !name.startsWith('Pseudo'))
    .toSorted((a, b) => b.length - a.length)
}
