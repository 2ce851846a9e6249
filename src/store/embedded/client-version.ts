const prefix = 'verbatim/'

/** The name by which a client tells the daemon its version. */
export function applicationNameOf(version: string): string {
  return prefix + version
}

/** The version in a client's name; `undefined` for other programs, psql for example. */
export function versionIn(applicationName: string): string | undefined {
  return applicationName.startsWith(prefix) ? applicationName.slice(prefix.length) : undefined
}

/** Whether `version` is newer than `other`, by the first three numbers of semver; a pre-release is older than none. */
export function isNewer(version: string, other: string): boolean {
  const left = semverOf(version)
  const right = semverOf(other)
  if (left === undefined || right === undefined) return false
  for (let index = 0; index < 4; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

function semverOf(version: string): readonly number[] | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)(-.+)?$/.exec(version)
  if (parts === null) return undefined
  return [Number(parts[1]), Number(parts[2]), Number(parts[3]), parts[4] === undefined ? 1 : 0]
}
