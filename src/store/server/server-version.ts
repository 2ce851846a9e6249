import type { Queries } from '../rows.ts'

/** A server's version as PostgreSQL counts it: 150018 is 15.18. */
export async function serverVersion(sql: Queries): Promise<number> {
  const [row] = await sql<{ version: string }[]>`select current_setting('server_version_num') as version`
  return Number(row?.version)
}

export function shownVersion(version: number): string {
  return `${majorOf(version)}.${version % 10_000}`
}

const majorOf = (version: number) => Math.floor(version / 10_000)

/**
 * The first minor version of each major one in which row level security holds also where a plan is used again by another
 * role (CVE-2024-10976), and statistics do not tell of rows behind it (CVE-2025-8713).
 */
const fixedIn: ReadonlyMap<number, number> = new Map([
  [15, 14],
  [16, 10],
  [17, 6],
])

export function lacksRowSecurityFixes(version: number): boolean {
  return version % 10_000 < (fixedIn.get(majorOf(version)) ?? 0)
}
