import { setTimeout as sleep } from 'node:timers/promises'

import { reasonOf } from './files.ts'
import type { HostLogger, PromptAdditions, PromptEvent } from './host.ts'
import { RecallServer, RefusedError, type RecallServerOptions } from './recall-server.ts'
import { Recalled, recallReplySchema, searchReplySchema } from './recalled.ts'

export interface RecallOptions extends RecallServerOptions {
  readonly maxTokens: number
  readonly timeoutMs: number
  /** How long the first prompt may wait, for whom Verbatim may be just starting. */
  readonly firstTimeoutMs: number
  /** How long prompts are left alone after a failure, unless the usual time. */
  readonly restMs?: number
  /** How long a first answer may take before the process is ended, unless the usual time. */
  readonly startMs?: number
}

/** Who asks for a prompt. */
export interface RecallEvent extends PromptEvent {
  /** The session's id in Verbatim, which may not know it yet. */
  readonly sessionId: string
}

/** The recall of one prompt. */
interface Task {
  readonly query: string
  readonly sessionId: string
  readonly recalled: Recalled
  isSearched?: boolean
  /** The prompt has gone on. */
  isLate: boolean
}

const hitsMax = 5
/** So often is more asked for where hits repeat the prompt. */
const pagesMax = 8
/** On each side: an answer comes after the tools that it took. */
const neighbours = 3
const queryCharactersMax = 2_000
/** Too little to tell what is meant: "yes", "go on". */
const queryCharactersMin = 8
const usualRestMs = 30_000
/** Nobody waits for it. */
const usualStartMs = 30_000
/** Nothing is shown of what it finds; the store, and a model where one is asked, are there after it. */
const startQuery = 'Verbatim in OpenClaw'

/**
 * What the memory holds about a prompt, to be put before it. It asks a Verbatim of its own, which is started once and only
 * reads. A prompt never waits longer than the settings say: it goes without then, or with what came in time.
 */
export class Recall {
  readonly #options: RecallOptions
  readonly #server: RecallServer
  readonly #log: HostLogger
  #restsUntil = 0
  #isFirst = true
  #hasAnswered = false
  #wasPredictionLate = false

  constructor(options: RecallOptions) {
    this.#options = options
    this.#server = new RecallServer(options)
    this.#log = options.log
  }

  /** Starts Verbatim and has it open the store, so that the first prompt finds it ready. Never rejects. */
  async warm(): Promise<void> {
    if (this.#options.find() === undefined) return
    try {
      await this.#server.call('search_memory', { query: startQuery, limit: 1, max_tokens: 300 }, this.#answerMs)
      this.#isFirst = false
      if (await this.#server.has('recall_context'))
        await this.#server.call('recall_context', { text: startQuery, max_tokens: 300 }, this.#answerMs)
      this.#hasAnswered = true
    } catch (error) {
      this.#rest(error)
    }
  }

  async before(event: RecallEvent): Promise<PromptAdditions | undefined> {
    const query = (event.currentUserMessage ?? event.prompt).slice(0, queryCharactersMax).trim()
    if (query.length < queryCharactersMin || performance.now() < this.#restsUntil) return undefined
    // That has been said; it may be there at the next prompt.
    if (this.#options.find() === undefined) return undefined
    const timeoutMs = this.#isFirst ? this.#options.firstTimeoutMs : this.#options.timeoutMs
    this.#isFirst = false
    const task: Task = { query, sessionId: event.sessionId, recalled: new Recalled(query, event), isLate: false }
    const found = this.#find(task).catch((error: unknown) => {
      this.#rest(error)
      return true
    })
    // Behind an answer that came in time it ends by itself, and keeps nothing from ending.
    const late = sleep(timeoutMs, false, { ref: false })
    const isFinished = await Promise.race([found, late])
    task.isLate = !isFinished
    this.#noteTime(task, timeoutMs)
    return task.recalled.additions(this.#options.maxTokens)
  }

  async close(): Promise<void> {
    await this.#server.close()
  }

  /** The search first: it is the quicker one. What is predicted comes in what is left of the time. */
  async #find(task: Task): Promise<true> {
    await this.#search(task)
    task.isSearched = true
    if (!task.isLate && (await this.#server.has('recall_context'))) await this.#predict(task)
    this.#hasAnswered = true
    return true
  }

  /** Page by page as long as hits repeat the prompt, as those of a question do that was asked before. */
  async #search(task: Task): Promise<void> {
    const search = {
      // A quote would be read as a phrase that a result must hold.
      query: task.query.replaceAll('"', ' '),
      limit: hitsMax,
      max_tokens: this.#options.maxTokens,
      context: neighbours,
      format: 'json',
    }
    let cursor: string | undefined
    for (let page = 0; page < pagesMax && !task.isLate; page++) {
      const args = cursor === undefined ? search : { ...search, cursor }
      const reply = searchReplySchema.parse(await this.#server.call('search_memory', args, this.#answerMs))
      const hasRepeats = task.recalled.addFound(reply)
      cursor = reply.next_cursor
      if (!hasRepeats || cursor === undefined || task.recalled.hits >= hitsMax) return
    }
  }

  async #predict({ query: text, sessionId, recalled }: Task): Promise<void> {
    const recall = (args: object) => {
      const call = { text, max_tokens: this.#options.maxTokens, format: 'json', ...args }
      return this.#server.call('recall_context', call, this.#answerMs)
    }
    try {
      // Of a session that is new Verbatim knows nothing, and says so.
      const reply = await recall({ session_id: sessionId }).catch((error: unknown) => {
        if (error instanceof RefusedError) return recall({})
        throw error
      })
      recalled.addPredicted(recallReplySchema.parse(reply))
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      this.#log.warn(
        `Verbatim: a prompt got what was found, and not what was learned or predicted (${reasonOf(error)})`,
      )
    }
  }

  /** Longer than a prompt waits: one that is only slow, or just starting, is not ended. */
  get #answerMs(): number {
    const { timeoutMs, startMs = usualStartMs } = this.#options
    return this.#hasAnswered ? timeoutMs * 4 : startMs
  }

  #noteTime({ isLate, isSearched = false }: Task, timeoutMs: number): void {
    if (isLate && !isSearched)
      this.#log.warn(
        `Verbatim: a recall was given up, as the memory had not answered ${timeoutMs} ms after the prompt came (recallTimeoutMs, recallFirstTimeoutMs)`,
      )
    else if (isLate && !this.#wasPredictionLate)
      this.#log.info(
        `Verbatim: what was learned and predicted came too late for a prompt, ${timeoutMs} ms after it; it got what was found. Said once until it comes in time`,
      )
    if (isSearched) this.#wasPredictionLate = isLate
  }

  #rest(error: unknown): void {
    const restMs = this.#options.restMs ?? usualRestMs
    this.#restsUntil = performance.now() + restMs
    this.#log.warn(
      `Verbatim: nothing is recalled for ${restMs / 1000} s, as the memory did not answer (${reasonOf(error)})`,
    )
  }
}
