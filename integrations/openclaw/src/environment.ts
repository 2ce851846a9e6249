/** The settings of the process that OpenClaw runs in, with those that stand in the plugin's configuration. */
export function environment(given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) all[name] = value
  return { ...all, ...given }
}
