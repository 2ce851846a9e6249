interface Shown {
  readonly number: string
  readonly text: string
}

/** The messages, and the notes of messages, that a model is shown, with the numbers to cite. */
export function shownIn(asked: string): Shown[] {
  const turns = [...asked.matchAll(/^\[(\d+)\] \w+ [^\n]*:\n([^\n]*)/gmu)]
  const notes = [...asked.matchAll(/^- (.*) \[([\d, ]+)\]$/gmu)].map(([line, text = '', number = '']) => [
    line,
    number,
    text,
  ])
  return [...notes, ...turns].map(([, number = '', text = '']) => ({ number, text }))
}

/** What a model says that repeats the beginning of the last things that it is shown. */
export function repeatLast(asked: string, count: number): string {
  const sentences = shownIn(asked)
    .slice(-count)
    .map(({ number, text }) => ({
      text: text.slice(0, 80),
      messages: number.split(',').map(Number),
    }))
  return JSON.stringify({ sentences })
}
