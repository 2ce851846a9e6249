/** Who uses this machine: where their clients keep what they write. */
export interface LocalUser {
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
}
