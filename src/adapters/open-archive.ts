import type { ArchiveSettings } from '../config.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { DirectoryArchive } from './directory-archive.ts'
import { S3Archive } from './s3-archive.ts'

/** The archive that the settings name; without any, in a directory of the home. */
export function openArchive(settings: ArchiveSettings, directoryOfHome: string): ArchiveStore {
  return settings.kind === 's3' ? new S3Archive(settings) : new DirectoryArchive(settings.path ?? directoryOfHome)
}
