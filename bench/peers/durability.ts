import { PeerProcess, type PeerPlace } from './peer-process.ts'
import type { Peer } from './peer.ts'

const savesOfProcess = 100

export interface Durability {
  readonly processes: number
  readonly acknowledged: number
  readonly refused: number
  /** Of the acknowledged, those that a fresh process finds. */
  readonly survived: number
}

type Saves = Pick<Durability, 'acknowledged' | 'refused'>

async function saveMany(peer: Peer, running: readonly PeerProcess[]): Promise<Saves> {
  let acknowledged = 0
  let refused = 0
  await Promise.all(
    running.map(async ({ call }, process) => {
      for (let number = 0; number < savesOfProcess; number++) {
        const text = `message of process ${process}, number ${number}`
        const message = { ref: `p${process}:${number}`, sender: 'bench', timestamp: '2025-01-01T00:00:00.000Z', text }
        await peer.save(call, message).then(
          () => acknowledged++,
          () => refused++,
        )
      }
    }),
  )
  return { acknowledged, refused }
}

/** Processes on one store save at once, as those of several sessions of an agent do; then a fresh one counts. */
export async function measureDurability(peer: Peer, place: PeerPlace, processes: number): Promise<Durability> {
  const running: PeerProcess[] = []
  let saves: Saves
  try {
    // One after the other: it is not their start-up on an empty store that is compared.
    for (let count = 0; count < processes; count++) running.push(await PeerProcess.start(peer, place))
    saves = await saveMany(peer, running)
  } finally {
    for (const process of running) await process[Symbol.asyncDispose]()
  }
  await using fresh = await PeerProcess.start(peer, place)
  // Who has acknowledged nothing may have nothing to count in.
  const survived = saves.acknowledged === 0 ? 0 : await peer.count(fresh.call)
  return { processes, ...saves, survived: Math.min(survived, saves.acknowledged) }
}
