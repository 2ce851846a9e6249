import fc from 'fast-check'

const pieces = [
  'word',
  'Übung',
  'встречу',
  '会议室',
  'カタカナ',
  '한국어',
  'ประชุม',
  'مدرسة',
  'getUserName',
  'src/a.ts',
  "don't",
  '"',
  '“',
  '…',
  '\n',
  '\n\n',
  ' ',
  '\t',
  '\u0000',
  '\ud800',
  '\udc00',
  '\u200b',
  '\u200d',
  '\u0301',
  '👩‍👩‍👧',
  '🇩🇪',
  '\ufeff',
  '\u202e',
  'e\u0301',
  '```',
  '- ',
  '. ',
  '。',
  '1,000',
  'C++',
  "'",
  '_',
  '::',
]

/** Text made of what breaks tokenizers, mixed with arbitrary code units. */
export const awkwardText = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 6, unit: 'binary' })), { maxLength: 40 })
  .map((list) => list.join(''))

/** Bad inputs by name; `scale` 8 is eight times the size of 1 (16 K to 256 K units). */
export const badInputs: Readonly<Record<string, (scale: number) => string>> = {
  'one word': (scale) => 'a'.repeat(scale * 32_768),
  newlines: (scale) => '\n'.repeat(scale * 32_768),
  'distinct words': (scale) => Array.from({ length: scale * 2_000 }, (_, index) => `w${index.toString(36)}x`).join(' '),
  'lone surrogates': (scale) => '\ud800'.repeat(scale * 32_768),
  'combining marks': (scale) => `e${'\u0301'.repeat(scale * 32_768)}`,
  'zero width': (scale) => '\u200b'.repeat(scale * 32_768),
  apostrophes: (scale) => "a'".repeat(scale * 8_192),
  dots: (scale) => 'a.'.repeat(scale * 8_192),
  underscores: (scale) => 'a_'.repeat(scale * 8_192),
  quotes: (scale) => '“'.repeat(scale * 8_192),
  Han: (scale) => '会议'.repeat(scale * 4_096),
  Thai: (scale) => 'เราย้ายการประชุม'.repeat(scale * 512),
  'camel humps': (scale) => 'aB'.repeat(scale * 16_384),
  asking: (scale) =>
    `${'tell me '.repeat(scale * 1_024)}${'x'.repeat(scale * 16_384)}${' in order'.repeat(scale * 1_024)}`,
  base64: (scale) => 'aGVsbG8gd29ybGQhISE/Zm9v+YmFy'.repeat(scale * 1_024),
}

/** Seconds of CPU that this process has used: what other processes of the machine do is not in them. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

/** Of CPU; the best of three runs, as memory may be freed in one of them. */
export function secondsPerMegabyte(work: () => unknown, size: number): number {
  let best = Infinity
  for (let run = 0; run < 3; run++) {
    const start = cpuSeconds()
    work()
    best = Math.min(best, cpuSeconds() - start)
  }
  return best / (size / 1_000_000)
}
