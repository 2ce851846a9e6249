/** Of stores on a server, which make none themselves, and of archives that outlive their stores. */
export const rootKeyOfTests = 'a7'.repeat(32)

/** An environment in which a server has a root key, where it says nothing of one: also not that there is none. */
export function withRootKey(environment: Readonly<Record<string, string>>): Record<string, string> {
  const isSaid = Object.keys(environment).some((name) => name.startsWith('VERBATIM_ROOT_KEY'))
  const isOnServer = (environment['DATABASE_URL'] ?? '') !== ''
  return { ...environment, ...(isOnServer && !isSaid ? { VERBATIM_ROOT_KEY: rootKeyOfTests } : {}) }
}
