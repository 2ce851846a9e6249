import type { ArchiveStore } from '../../ports/archive-store.ts'
import type { Subject } from '../manifest.ts'

/** What an archive holds of a session or of an imported document. Numbers are in ascending order. */
export interface ArchivedSubject extends Subject {
  readonly segments: readonly number[]
  readonly manifests: readonly number[]
}

const keyPattern =
  /^(?<tenant>\d+)\/(?<files>files\/)?(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?<number>\d+)\.(?<ending>vseg|vmanifest)$/

/** Everything that can be restored from an archive, as its keys come: in order, so that what belongs together is together. */
export async function* archivedSubjects(archive: ArchiveStore): AsyncGenerator<ArchivedSubject> {
  let current: (Subject & { segments: number[]; manifests: number[] }) | undefined
  for await (const key of archive.list('')) {
    // Behind the tenants' numbers come payloads.
    if (key > ':') break
    const { tenant, files, id, number, ending } = keyPattern.exec(key)?.groups ?? {}
    if (tenant === undefined || id === undefined) continue
    const subject = { kind: files === undefined ? 'session' : 'file', tenantId: Number(tenant), id } as const
    if (current?.id !== id || current.tenantId !== subject.tenantId || current.kind !== subject.kind) {
      if (current !== undefined) yield ordered(current)
      current = { ...subject, segments: [], manifests: [] }
    }
    const numbers = ending === 'vseg' ? current.segments : current.manifests
    numbers.push(Number(number))
  }
  if (current !== undefined) yield ordered(current)
}

/** Numbers of more than six digits do not come in their order. */
function ordered(subject: ArchivedSubject): ArchivedSubject {
  const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)
  return { ...subject, segments: ascending(subject.segments), manifests: ascending(subject.manifests) }
}
