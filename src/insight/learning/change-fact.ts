import { requireSessionTo } from '../../capture/session-reference.ts'
import { ConflictError, ForbiddenError, InputError, LimitError } from '../../errors.ts'
import { factTerms } from '../../indexing/terms/fact-terms.ts'
import type { TermHashers } from '../../indexing/terms/term-hashers.ts'
import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import { newId } from '../../model/ids.ts'
import { inOneLine } from '../../model/text/one-line.ts'
import { parseTime } from '../../model/validate.ts'
import { wasAudited, writeAudit } from '../../store/audit/audit-log.ts'
import type { Database } from '../../store/database.ts'
import { hasTerms, type TermsState } from '../../store/keys/encryption-state.ts'
import { underItsSeal } from '../../store/keys/under-its-seal.ts'
import {
  archiveFactChange,
  correctFact,
  deleteFact,
  endFact,
  forgetFacts,
  holdFact,
  pinFact,
} from '../../store/learning/change-facts.ts'
import type { StoredFact } from '../../store/learning/read-facts.ts'
import { sealFact, type NewFact } from '../../store/learning/sealed-facts.ts'
import { lockDescription, readDescribed, readProject } from '../../store/learning/session-projects.ts'
import type { Transaction } from '../../store/rows.ts'
import { inTransaction } from '../../store/transaction.ts'
import { addAllSessions } from '../../store/work/add-work.ts'
import { learnTopic } from '../../store/work/outbox.ts'
import { requireFact, showFact, type FactDocument } from './list-facts.ts'

/** What may be done with a fact by hand. */
export type FactChange =
  | { readonly action: 'pin' | 'unpin' | 'delete' }
  | { readonly action: 'correct'; readonly text: string }
  | { readonly action: 'end'; readonly until: string }

export interface FactStores {
  readonly database: Database
  readonly hashers: TermHashers
}

/** What the command line is called as a client. */
const commandLine = 'cli'
const clientCharactersMax = 100

const actions = {
  pin: 'fact.pin',
  unpin: 'fact.unpin',
  delete: 'fact.delete',
  correct: 'fact.correct',
  end: 'fact.end',
} as const satisfies Record<FactChange['action'], string>

function checkText(text: string): string {
  const trimmed = text.trim()
  if (trimmed === '' || !text.isWellFormed())
    throw new InputError('Cannot correct the fact as its new text is empty or holds half a surrogate pair', {
      remedy: 'Give what it should say, as well-formed text',
    })
  if (trimmed.length > limits.factCharactersMax)
    throw new LimitError('correct the fact', {
      what: 'the length of its text in characters',
      limit: limits.factCharactersMax,
      actual: trimmed.length,
    })
  return trimmed
}

/**
 * Changes a fact by hand, wherever it was told: pins it, deletes it for good, puts other words in its place, or says until when
 * it held. Whoever may write to its session may. Returns the fact as it is after that; undefined where it was deleted.
 */
export async function changeFact(
  { database, hashers }: FactStores,
  caller: Caller,
  { id, ...change }: FactChange & { readonly id: string },
): Promise<FactDocument | undefined> {
  const fact = await requireFact(database, caller, id)
  const { tenantId } = caller
  await requireSessionTo(database, caller, { reference: fact.sessionId, action: 'write' })
  const write = await writing({ database, hashers }, caller, { fact, change })
  const requestId = newId()
  let attempts = 0
  const done = await underItsSeal(database, { tenantId, sessionId: fact.sessionId }, async (seal) =>
    database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        attempts++
        if (attempts > 1 && (await wasAudited(transaction, tenantId, requestId))) return true
        await holdFact(transaction, caller, fact.id)
        const sessions = await write.into(transaction, seal)
        if (sessions.length === 0) return false
        await archiveFactChange(transaction, tenantId, sessions)
        const event = { action: actions[change.action], objectKind: 'fact', objectId: fact.id } as const
        await writeAudit(transaction, caller, { ...event, outcome: 'ok', requestId })
        return true
      }),
    ),
  )
  if (!done) throw changedMeanwhile(id)
  database.needWork?.()
  return change.action === 'delete' ? undefined : await showFact(database, caller, write.id)
}

function changedMeanwhile(id: string): ConflictError {
  return new ConflictError(
    `Nothing was changed as the fact "${id}", its session, or the key of its words, was changed meanwhile`,
    {
      remedy: 'Look at it again',
    },
  )
}

type Seal = Parameters<Parameters<typeof underItsSeal>[2]>[0]

/** What writes a change, and the id of the fact after it. */
interface Writing {
  readonly id: string
  into(sql: Transaction, seal: Seal): Promise<readonly string[]>
}

async function writing(
  stores: FactStores,
  caller: Caller,
  { fact, change }: { readonly fact: StoredFact; readonly change: FactChange },
): Promise<Writing> {
  const { id } = fact
  switch (change.action) {
    case 'pin':
    case 'unpin':
      return { id, into: (sql) => pinFact(sql, caller, { id, pinned: change.action === 'pin' }) }
    case 'delete':
      return { id, into: (sql) => deleteFact(sql, caller, id) }
    case 'end': {
      const until = parseTime(change.until, 'until')
      return { id, into: (sql) => endFact(sql, caller, { id, until }) }
    }
    case 'correct': {
      const { corrected, state, described } = await correction(stores, caller, { fact, text: checkText(change.text) })
      return {
        id: corrected.id,
        async into(sql, seal) {
          const correct = { id, fact: sealFact(corrected, seal), keyVersion: seal?.version ?? 0 }
          const key = { tenantId: caller.tenantId, sessionId: fact.sessionId }
          await lockDescription(sql, key, 'shared')
          if ((await readDescribed(sql, key)) !== described) throw changedMeanwhile(id)
          const sessions = await correctFact(sql, caller, correct)
          if (sessions.length > 0 && !(await hasTerms(sql, caller.tenantId, state))) throw changedMeanwhile(id)
          return sessions
        },
      }
    }
    default:
      return change satisfies never
  }
}

/** What somebody wrote: it has the sources and the slot of what it corrects; how its words were hashed, and what was known of its session. */
async function correction(
  { database, hashers }: FactStores,
  { tenantId, principal, client }: Caller,
  { fact, text }: { readonly fact: StoredFact; readonly text: string },
): Promise<{ readonly corrected: NewFact; readonly state: TermsState | undefined; readonly described: string }> {
  const { project, mark } = await readProject(database, { tenantId, sessionId: fact.sessionId })
  const { indexes, state } = await hashers.written(tenantId)
  const hasher = indexes.at(-1)?.hasher
  if (hasher === undefined) throw new Error(`Tenant ${tenantId} has no index`)
  const through = client === commandLine ? undefined : inOneLine(client).slice(0, clientCharactersMax)
  // What was found of the words that it replaces is not what it says.
  const { claim: _, ...kept } = fact.body
  const body = { ...kept, text, by: principal, through }
  const corrected = {
    id: newId(),
    kind: fact.kind,
    body,
    terms: factTerms(fact.kind, body, { hasher, project }),
    confidence: 1,
    validFrom: fact.validFrom ?? '',
    madeBy: 'user',
    sources: [],
  }
  return { corrected, state, described: mark }
}

/**
 * Forgets all that was learned, what was changed of it by hand too, and leaves what is stored to be read anew by patterns, and by a
 * model what is new. For the owner of all.
 */
export async function resetFacts(
  database: Database,
  caller: Caller,
): Promise<{ readonly forgotten: number; readonly messages: number }> {
  const { tenantId } = caller
  if (caller.principalId !== undefined)
    throw new ForbiddenError('Cannot forget what was learned as it is not yours alone', {
      remedy: 'Ask whoever runs the server: "verbatim facts reset"',
    })
  const reset = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const { forgotten, archived } = await forgetFacts(transaction, tenantId)
      await archiveFactChange(transaction, tenantId, archived)
      const messages = await addAllSessions(transaction, tenantId, learnTopic)
      await writeAudit(transaction, caller, { action: 'fact.reset', outcome: 'ok', count: forgotten })
      return { forgotten, messages }
    }),
  )
  database.needWork?.()
  return reset
}
