/** Exit codes of the command line, as docs/cli.md lists them. */
export const exitCodes = {
  ok: 0,
  /** The command ran and found something wrong: damaged messages, files that failed, a setup that needs attention. */
  problems: 1,
  /** The arguments or the configuration cannot be used. */
  usage: 2,
  /** The store does not answer, or what it needs, such as its archive; or its audit log takes no row of the command. */
  unavailable: 3,
  /** A defect of Verbatim itself. */
  internal: 70,
} as const

/** A command reports its exit code here instead of ending the process, so that the store is closed first. */
export class ExitStatus {
  code: number = exitCodes.ok
}
