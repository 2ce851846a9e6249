import type { RowSeal } from '../../crypto/row-seal.ts'
import type { NewMessage, SaveRequest } from './save-messages.ts'

/** Collects byte strings into one buffer and tells where each one is. */
class Slices {
  readonly #parts: Uint8Array[] = []
  #length = 0

  add(bytes: Uint8Array): { readonly at: number; readonly length: number } {
    const at = this.#length
    this.#parts.push(bytes)
    this.#length += bytes.length
    return { at, length: bytes.length }
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts, this.#length)
  }
}

/** A message as it is described to the function, with what only its place in the batch tells. */
interface Described {
  readonly message: NewMessage
  /** Our id of its parent, where that is an earlier message of the batch. */
  readonly parentId: string | undefined
  /** Said by the source, or seen in the batch: another model than before, another parent than the message before. */
  readonly contextSwitch: string | undefined
  /** Whether it begins a branch where its parent, which is not of the batch, is stored: the function looks. */
  readonly mayBranch: boolean
}

/** Texts as PostgreSQL writes an array of them: cheaper to read there than a JSON array. */
function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`).join(',')}}`
}

function sizeOf(message: NewMessage): number {
  return 'bytes' in message.payload ? message.payload.bytes.length : message.payload.sizeBytes
}

/**
 * Follows models and parents through the batch. Against what is stored already only the first message that names a model,
 * the first message's parent, and parents that are not of the batch are left to compare: the function does that.
 */
function followBatch(request: SaveRequest): Described[] {
  const ids = new Map<string, string>()
  let model: string | undefined
  let previousId: string | undefined
  return request.messages.map((message) => {
    const parentId = message.parent === undefined ? undefined : ids.get(message.parent)
    const isTold = message.contextSwitch !== undefined
    const mayFollow = !request.revise && message.role !== 'tool' && previousId !== undefined
    const isBranch = mayFollow && parentId !== undefined && parentId !== previousId
    const mayBranch = mayFollow && !isTold && message.parent !== undefined && parentId === undefined
    const changesModel = message.model !== undefined && model !== undefined && message.model !== model
    const seen = isBranch ? 'branch' : changesModel && !mayBranch ? 'model' : undefined
    const contextSwitch = message.contextSwitch ?? seen
    model = message.model ?? model
    previousId = message.id
    ids.set(message.id, message.id)
    if (message.externalId !== undefined) ids.set(message.externalId, message.id)
    return { message, parentId, contextSwitch, mayBranch }
  })
}

/** The bytes of a message as they are stored. */
export function storedBytes(
  { id, payload, text, metadata }: Pick<NewMessage, 'id' | 'payload' | 'text' | 'metadata'>,
  seal: RowSeal | undefined,
) {
  const utf8 = (value: string | undefined) => (value === undefined ? undefined : Buffer.from(value, 'utf8'))
  if (seal === undefined)
    return { payload: 'bytes' in payload ? payload.bytes : undefined, text: utf8(text), metadata: utf8(metadata) }
  const sealed = (field: 'text' | 'metadata', value: string | undefined) =>
    value === undefined ? undefined : seal.seal({ field, id }, Buffer.from(value, 'utf8'))
  return {
    // Of what is in the archive its place: so a row cannot be made to point to the payload of another.
    payload: seal.seal({ field: 'payload', id }, 'bytes' in payload ? payload.bytes : Buffer.from(payload.location)),
    text: sealed('text', text),
    metadata: sealed('metadata', metadata),
  }
}

/** The hash of a message as it is stored. */
export function storedHash({ sha256 }: Pick<NewMessage, 'sha256'>, seal: RowSeal | undefined): Buffer {
  return Buffer.from(seal === undefined ? sha256 : seal.mask(sha256))
}

function describeMessage(
  { message, parentId, contextSwitch }: Described,
  place: number,
  { slices, seal, former }: { readonly slices: Slices } & Pick<SaveRequest, 'seal' | 'former'>,
): Record<string, unknown> {
  const { payload, usage } = message
  const stored = storedBytes(message, seal)
  const add = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : slices.add(bytes))
  const inline = add(stored.payload)
  const text = add(stored.text)
  const metadata = add(stored.metadata)
  // Undefined members are left out by JSON.stringify, and the function reads an absent member as null.
  return {
    place,
    id: message.id,
    external_id: message.externalId,
    parent: message.parent,
    parent_id: parentId,
    timestamp: message.timestamp,
    role: message.role,
    sender: message.sender,
    model: message.model,
    kind: message.kind,
    trust: message.trust,
    input: usage?.input,
    output: usage?.output,
    cache_read: usage?.cacheRead,
    cache_write: usage?.cacheWrite,
    tools: message.toolsUsed !== undefined && message.toolsUsed.length > 0 ? message.toolsUsed : undefined,
    tool_call_id: message.toolCallId,
    switch: contextSwitch,
    copied: message.copied,
    media_type: message.mediaType,
    sha256: storedHash(message, seal).toString('hex'),
    other_sha256:
      former === undefined ? undefined : storedHash(message, former === 'plain' ? undefined : former).toString('hex'),
    bytes: sizeOf(message),
    location: 'bytes' in payload ? undefined : payload.location,
    payload_at: inline?.at,
    payload_length: inline?.length,
    text_at: text?.at,
    text_length: text?.length,
    metadata_at: metadata?.at,
    metadata_length: metadata?.length,
  }
}

/** What all messages of the batch together add to their session. */
function describeTotals(request: SaveRequest, described: readonly Described[]): Record<string, unknown> {
  const counted = described.filter(({ message }) => message.copied !== true)
  const sum = (of: (message: NewMessage) => number | undefined) =>
    counted.reduce((total, { message }) => total + (of(message) ?? 0), 0)
  const turns = request.messages.filter(({ kind }) => kind === 'message')
  const names = (of: (message: NewMessage) => string | undefined) => [
    ...new Set(turns.flatMap((message) => of(message) ?? [])),
  ]
  const times = request.messages.flatMap(({ timestamp }) => timestamp ?? []).toSorted()
  const firstModelIndex = request.messages.findIndex(({ model }) => model !== undefined)
  const firstModel = described[firstModelIndex]
  const [first] = request.messages
  const mayBranch = !request.revise && first?.role !== 'tool' && first?.contextSwitch === undefined
  return {
    count: request.messages.length,
    singly: described.some(({ mayBranch: mayBe }) => mayBe) ? true : undefined,
    bytes: request.messages.reduce((total, message) => total + sizeOf(message), 0),
    input: sum(({ usage }) => usage?.input),
    output: sum(({ usage }) => usage?.output),
    cache_read: sum(({ usage }) => usage?.cacheRead),
    cache_write: sum(({ usage }) => usage?.cacheWrite),
    // A transcript names the tools of calls only; a caller of ours may name the tool that a result comes from.
    tools: sum(({ role, toolsUsed }) => (role === 'tool' && !request.revise ? 0 : toolsUsed?.length)),
    switches: counted.filter(({ contextSwitch }) => contextSwitch !== undefined).length,
    first_model: firstModel?.message.model,
    first_model_place: firstModel === undefined ? undefined : firstModelIndex + 1,
    first_switch:
      firstModel !== undefined && firstModel.contextSwitch === undefined && firstModel.message.copied !== true,
    first_parent: mayBranch ? first?.parent : undefined,
    last_model: request.messages.findLast(({ model }) => model !== undefined)?.model,
    last_id: request.messages.at(-1)?.id,
    models: arrayLiteral(names(({ model }) => model)),
    senders: arrayLiteral(names(({ sender }) => sender)),
    since: times[0],
    until: times.at(-1),
  }
}

/** The arguments of the database's function `save_messages` (drizzle/0013 and 0034): JSON texts, and the bytes they point into. */
export function describeSave(request: SaveRequest): {
  readonly session: string
  readonly messages: string
  readonly totals: string
  readonly bytes: Buffer
} {
  const slices = new Slices()
  const described = followBatch(request)
  const { session, seal, former } = request
  return {
    session: JSON.stringify({
      id: session.id,
      source: session.source,
      external_id: session.externalId,
      create: session.create,
      created_at: session.createdAt,
      parent_external_id: session.parentExternalId,
      key_version: seal?.version ?? 0,
      tombstones: session.tombstones,
    }),
    messages: JSON.stringify(
      described.map((message, index) => describeMessage(message, index + 1, { slices, seal, former })),
    ),
    totals: JSON.stringify(describeTotals(request, described)),
    bytes: slices.toBuffer(),
  }
}
