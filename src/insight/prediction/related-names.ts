import type { Caller } from '../../model/access.ts'
import { textIfIntact } from '../../search/hits.ts'
import { placeKey } from '../../search/ranking/conversation.ts'
import type { SearchDependencies } from '../../search/search.ts'
import { readPlaces } from '../../store/messages.ts'
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
  { database, archive }: SearchDependencies,
  caller: Caller,
  about: { readonly places: readonly Place[]; readonly named: readonly string[] },
): Promise<RelatedName[]> {
  if (caller.view !== undefined) return []
  const left = new Set(about.named)
  const found = new Map<string, RelatedName & { readonly score: number }>()
  for (let at = 0; at < messagesRead; at += readAtOnce) {
    const places = about.places.slice(at, Math.min(at + readAtOnce, messagesRead))
    if (places.length === 0) break
    const rows = await readPlaces(database, caller.tenantId, { places, payloadBytesMax })
    const byPlace = new Map(rows.map((row) => [placeKey(row), row]))
    for (const [beside, place] of places.entries()) {
      const row = byPlace.get(placeKey(place))
      if (row === undefined) continue
      const rank = at + beside
      for (const name of namesIn((await textIfIntact(archive, row))?.slice(0, charactersRead) ?? '')) {
        if (left.has(name) || name.length > nameCharactersMax) continue
        const { sessionId, seq, id: messageId } = row
        const known = found.get(name) ?? { name, sessionId, seq, messageId, rank, score: 0 }
        found.set(name, { ...known, score: known.score + 1 / (rankOffset + rank) })
      }
    }
  }
  return [...found.values()].toSorted((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
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
