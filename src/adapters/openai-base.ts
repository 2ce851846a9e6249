/** Addresses are written with and without the end that is common to all; a bare host means `/v1`. */
export function openAiBaseOf(url: string): string {
  const base = url.replace(/\/+$/, '').replace(/\/(?:embeddings|chat\/completions)$/, '')
  return new URL(base).pathname === '/' ? `${base}/v1` : base
}
