import type { Caller } from '../../model/access.ts'
import { textIfIntact, type ReadMessage } from '../../search/hits.ts'
import { placeKey } from '../../search/ranking/conversation.ts'
import type { SearchDependencies } from '../../search/search.ts'
import { readPlaces, type MessageRow } from '../../store/messages.ts'
import { namesIn } from './read-signals.ts'

/** A message, and what it names. */
export interface NamingMessage {
  readonly session_id: string
  readonly message_id: string
  readonly seq: number
  readonly names: readonly string[]
}

interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** A name, with the best of the messages that have it. */
export interface RelatedName extends NamingPlace {
  readonly name: string
}

interface NamingPlace extends Place {
  readonly messageId: string
  /** By its place among those that were looked at. */
  readonly rank: number
}

/** Of so many messages the names are read, and of each so many characters. */
const messagesRead = 60
/** So that no more than 4 MiB are held at once. */
const readAtOnce = 15
const charactersRead = 4_000
/** What is larger is a picture, a document or a long log, and may be in the archive alone. */
const payloadBytesMax = 256 * 1024
const nameCharactersMax = 80
/** Names in the best messages count more, but not much more. */
const rankOffset = 10

/**
 * What the messages that a conversation may need name, where the conversation has not named it itself: files, errors and names that
 * are likely to come up, those in many of the messages first. Nothing for who may not see personal data: a name may be that of a
 * person.
 */
export async function relatedNames(
  stores: SearchDependencies,
  caller: Caller,
  about: {
    readonly places: readonly Place[]
    readonly named: readonly string[]
    /** Messages of these places that were read already. */
    readonly read: readonly ReadMessage[]
  },
): Promise<RelatedName[]> {
  if (caller.view !== undefined) return []
  const left = new Set(about.named)
  const found = new Map<string, RelatedName & { readonly score: number }>()
  const places = about.places.slice(0, messagesRead)
  const ranks = new Map(places.map((place, rank) => [placeKey(place), rank]))
  const namings: { readonly rank: number; readonly message: MessageRow; readonly names: readonly string[] }[] = []
  const take = ({ message, text }: ReadMessage) => {
    const rank = ranks.get(placeKey(message))
    ranks.delete(placeKey(message))
    if (rank !== undefined && message.payloadBytes <= payloadBytesMax)
      namings.push({ rank, message, names: namesIn(text.slice(0, charactersRead)) })
  }
  for (const message of about.read) take(message)
  const unread = places.filter((place) => ranks.has(placeKey(place)))
  for (let at = 0; at < unread.length; at += readAtOnce)
    for (const message of await readTexts(stores, caller.tenantId, unread.slice(at, at + readAtOnce))) take(message)
  for (const { rank, message, names } of namings.toSorted((a, b) => a.rank - b.rank))
    for (const name of names) {
      if (left.has(name) || name.length > nameCharactersMax) continue
      const { sessionId, seq, id: messageId } = message
      const known = found.get(name) ?? { name, sessionId, seq, messageId, rank, score: 0 }
      found.set(name, { ...known, score: known.score + 1 / (rankOffset + rank) })
    }
  return [...found.values()].toSorted((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
}

/** The messages of some places that are intact and no larger than what is read, with their texts. */
async function readTexts(
  { database, archive }: SearchDependencies,
  tenantId: number,
  places: readonly Place[],
): Promise<ReadMessage[]> {
  const read: ReadMessage[] = []
  for (const message of await readPlaces(database, tenantId, { places, payloadBytesMax, withFlags: false })) {
    const text = await textIfIntact(archive, message)
    if (text !== undefined) read.push({ message, text })
  }
  return read
}

/** Of indented JSON, without the names: what a message costs, and what stands around each name. */
const messageCharacters = 190
const aroundName = 14

/** As many of the names as there is room for, by their messages, in the order of these. */
export function fitNames(names: readonly RelatedName[], charactersMax: number): NamingMessage[] {
  const byRank = new Map<number, NamingPlace & { readonly names: string[] }>()
  let characters = 0
  for (const { name, ...place } of names) {
    const known = byRank.get(place.rank)
    characters += name.length + aroundName + (known === undefined ? messageCharacters : 0)
    if (characters > charactersMax) break
    if (known === undefined) byRank.set(place.rank, { ...place, names: [name] })
    else known.names.push(name)
  }
  return [...byRank.values()]
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ sessionId, messageId, seq, names: own }) => ({
      session_id: sessionId,
      message_id: messageId,
      seq,
      names: own,
    }))
}
