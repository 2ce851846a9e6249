import { z } from 'zod'

import { InputError } from '../../errors.ts'
import type { FactChange } from '../../insight/learning/change-fact.ts'
import { defineTool, erases } from '../define-tool.ts'

const input = z.object({
  fact_id: z.string(),
  text: z.string().optional(),
  until: z.string().optional(),
  pinned: z.boolean().optional(),
  deleted: z.boolean().optional(),
})

/** The one change that is asked for. That a fact is not to be deleted asks for nothing. */
function changeOf({ text, until, pinned, deleted }: z.infer<typeof input>): FactChange {
  const changes: FactChange[] = []
  if (text !== undefined) changes.push({ action: 'correct', text })
  if (until !== undefined) changes.push({ action: 'end', until })
  if (pinned !== undefined) changes.push({ action: pinned ? 'pin' : 'unpin' })
  if (deleted === true) changes.push({ action: 'delete' })
  const [change, other] = changes
  if (change !== undefined && other === undefined) return change
  throw new InputError(
    `Cannot change the fact as ${change === undefined ? 'nothing of it is' : 'more than one thing of it is'} to be changed`,
    {
      remedy:
        'Give one of "text" (what it should say), "until" (when it ceased to hold), "pinned" and "deleted": true; for several changes call once for each, with the id of the reply before',
    },
  )
}

export const updateFact = defineTool({
  name: 'update_fact',
  title: 'Update a fact',
  description: 'Correct, end (until), pin or delete a learned fact, whose id recall_context shows.',
  input,
  output: z.object({ id: z.string() }),
  annotations: erases,
  run: async ({ verbatim, caller }, args) => {
    const { fact_id: id } = args
    const fact = await verbatim.learned(caller).change({ id, ...changeOf(args) })
    return { structured: fact === undefined ? { id, deleted: true } : { ...fact } }
  },
})
