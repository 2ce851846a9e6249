/**
 * What a program needs to find its files and the network, on Windows too. Verbatim gets no more of the gateway's environment:
 * a `DATABASE_URL` or an API key in it is another program's, and must not decide where conversations go.
 */
const passedOn =
  'HOME PATH SHELL USER LOGNAME LANG TMPDIR TZ NODE_EXTRA_CA_CERTS SystemRoot APPDATA LOCALAPPDATA USERPROFILE TEMP TMP PATHEXT ComSpec'.split(
    ' ',
  )

/** The environment of Verbatim: the little that is passed on, its own settings, and those of the plugin's configuration. */
export function environment(given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = Object.keys(process.env).filter((name) => name.startsWith('VERBATIM_'))
  const passed: Record<string, string> = {}
  for (const name of [...passedOn, ...own]) {
    const value = process.env[name]
    if (value !== undefined) passed[name] = value
  }
  return { ...passed, ...given }
}
