const dayMs = 86_400_000

/** Names the values of one kind in the order in which they appear, so that equal ones stay equal. */
class Names {
  readonly #kind: string
  readonly #known = new Map<string, string>()

  constructor(kind: string) {
    this.#kind = kind
  }

  of(value: string): string {
    const name = this.#known.get(value) ?? `<${this.#kind} ${this.#known.size + 1}>`
    this.#known.set(value, name)
    return name
  }
}

/**
 * A reply with what differs from run to run replaced: canonical ids, hashes, fences' boundaries, cursors, scores, and
 * times of today (times that a test gave itself are not of today). Equal values get equal names.
 */
export function stable(reply: unknown): unknown {
  const ids = new Names('id')
  const boundaries = new Names('boundary')
  const text = (value: string) =>
    value
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => ids.of(id))
      .replaceAll(/\b[0-9a-f]{64}\b/g, '<sha256>')
      .replaceAll(/boundary="([0-9a-f]{12})"/g, (_, boundary: string) => `boundary="${boundaries.of(boundary)}"`)
      .replaceAll(/\beyJ[\w-]{20,}/g, '<cursor>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) =>
        Math.abs(Date.now() - Date.parse(time)) < dayMs ? '<now>' : time,
      )
  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value)
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([key, entry]) => [key, key === 'score' ? '<score>' : visit(entry)]),
      )
    return value
  }
  return visit(reply)
}
