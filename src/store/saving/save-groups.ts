import { codeOf } from '../../errors.ts'

/** One piece of work that may share a statement with others. */
export interface Groupable {
  /**
   * Those of a group are listed in the order of these keys, in which PostgreSQL mostly locks their rows. Groups of several processes that
   * wait for each other all the same are done again one by one.
   */
  readonly order: string
}

/** Does several at once, all or none; the answers are in the order of `members`. */
export type DoGroup<M, R> = (members: readonly M[]) => Promise<readonly (R | undefined)[]>

interface Waiting<M, R> {
  readonly member: M
  readonly resolve: (result: R | undefined | PromiseLike<R | undefined>) => void
  readonly reject: (error: unknown) => void
}

const groupMembersMax = 8
/** A group that takes longer (a slow disk, a row that somebody else holds) does not keep the next from setting out. */
const patienceMs = 10

/**
 * Group commit (DeWitt et al., "Implementation techniques for main memory database systems", SIGMOD 1984, section 5.2), before
 * the statement instead of at the log: what comes in the same turn of the event loop, or while groups are on their way, goes
 * together, in one statement and one transaction. Alone, nothing waits. Where several groups may be on their way at once, none takes more
 * than half of those who wait for an answer: the database works on one while this process reads the answers of another and makes the next.
 * With all in one group, each of the two stands still while the other works; an engine that does one thing at a time gains less by that than
 * by one commit for all. A group that fails is done again one by one, so that nobody is answered with the
 * failure of another; where the connection was lost, each hears of that.
 */
export class SaveGroups<M extends Groupable, R> {
  readonly #doGroup: DoGroup<M, R>
  readonly #groupsMax: number
  readonly #waiting: Waiting<M, R>[] = []
  /** Groups, and the members of all of them. */
  readonly #underway = { groups: 0, members: 0 }
  #isToSetOut = false

  /** `groupsMax`: so many groups are on their way at once. */
  constructor(doGroup: DoGroup<M, R>, groupsMax: number) {
    this.#doGroup = doGroup
    this.#groupsMax = groupsMax
  }

  run(member: M): Promise<R | undefined> {
    return new Promise<R | undefined>((resolve, reject) => {
      this.#waiting.push({ member, resolve, reject })
      this.#setOutSoon()
    })
  }

  /** Those who were just answered together ask again together: without this, all but one of them would wait for that one. */
  #setOutSoon(): void {
    if (this.#isToSetOut || !this.#maySetOut()) return
    this.#isToSetOut = true
    setImmediate(() => {
      this.#isToSetOut = false
      this.#setOut()
    })
  }

  #maySetOut(): boolean {
    return this.#waiting.length > 0 && this.#underway.groups < this.#groupsMax
  }

  #setOut(): void {
    while (this.#maySetOut()) {
      const unanswered = this.#waiting.length + this.#underway.members
      const share = this.#groupsMax === 1 ? unanswered : Math.ceil(unanswered / 2)
      this.#start(this.#waiting.splice(0, statementSize(Math.min(this.#waiting.length, share))))
    }
  }

  #start(waiting: readonly Waiting<M, R>[]): void {
    this.#underway.groups++
    this.#underway.members += waiting.length
    const group = waiting.toSorted(({ member: a }, { member: b }) =>
      a.order < b.order ? -1 : Number(a.order > b.order),
    )
    let isOver = false
    const over = () => {
      if (isOver) return
      isOver = true
      clearTimeout(patience)
      this.#underway.groups--
      this.#underway.members -= waiting.length
      this.#setOutSoon()
    }
    const patience = setTimeout(over, patienceMs)
    void this.#send(group).finally(over)
  }

  async #send(group: readonly Waiting<M, R>[]): Promise<void> {
    try {
      const results = await this.#doGroup(group.map(({ member }) => member))
      for (const [index, { resolve }] of group.entries()) resolve(results[index])
    } catch (error) {
      // A SQLSTATE, which holds a digit, and not a code of the system.
      const isRefusal = /^(?=.*\d)[\dA-Z]{5}$/.test(codeOf(error) ?? '')
      if (!isRefusal || group.length === 1) for (const { reject } of group) reject(error)
      // They are the group's until the last of them is done: else a full disk would have all connections taken by what fails.
      else await Promise.allSettled(group.map((waiting) => this.#sendAlone(waiting)))
    }
  }

  #sendAlone({ member, resolve }: Waiting<M, R>): Promise<unknown> {
    const done = this.#doGroup([member]).then(([result]) => result)
    resolve(done)
    return done
  }
}

/** A power of two: the driver prepares a statement for each size. */
function statementSize(waiting: number): number {
  let size = 1
  while (size * 2 <= Math.min(waiting, groupMembersMax)) size *= 2
  return size
}
