import type { ArchiveSettings } from '../../config.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import { DirectoryArchive } from './directory-archive.ts'
import { ObservedArchive } from './observed-archive.ts'
import { S3Archive } from './s3-archive.ts'

/** The archive that the settings name; without any, in a directory of the home. */
export function openArchive(
  settings: ArchiveSettings,
  directoryOfHome: string,
  observer: Observer = unobserved,
): ArchiveStore {
  return settings.kind === 's3'
    ? new ObservedArchive(new S3Archive(settings), 's3', observer)
    : new DirectoryArchive(settings.path ?? directoryOfHome)
}
