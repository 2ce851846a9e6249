/** A bar on stderr for work that takes longer than a moment; silent where stderr is not a terminal. */
export interface Progress {
  add(amount: number): void
  stop(): void
}

const showAfterMs = 1_000

export async function startProgress(label: string, total: number): Promise<Progress> {
  if (!process.stderr.isTTY) return { add: () => {}, stop: () => {} }
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    format: `${label} [{bar}] {percentage}% {eta_formatted}`,
    stream: process.stderr,
    clearOnComplete: true,
  })
  let done = 0
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    bar.start(total, done)
  }, showAfterMs)
  return {
    add: (amount) => {
      done += amount
      if (shown) bar.update(Math.min(done, total))
    },
    stop: () => {
      clearTimeout(timer)
      if (shown) bar.stop()
    },
  }
}
