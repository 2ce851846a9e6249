/** Something that is not as it was when it was sealed, by the number of the row or the seal; or another reason than was given for what is named. */
export interface AuditProblem {
  readonly row?: number
  readonly of?: string
  readonly seal?: number
  readonly problem: string
}

const toldMax = 10_000

/** All problems are counted, and the first of them told. */
export class AuditProblems {
  readonly found: AuditProblem[] = []
  count = 0

  add(problem: AuditProblem): void {
    this.count++
    if (this.found.length < toldMax) this.found.push(problem)
  }
}
