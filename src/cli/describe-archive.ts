import { agreed, counted } from '../model/text/counted.ts'
import type { StoreStatus } from '../sessions/status.ts'

/** How far the archive is, in one line. */
export function describeArchive(archive: StoreStatus['archive']): string {
  const { sessions_behind: sessions, messages_behind: messages, files_behind: files } = archive
  if (sessions === 0 && files === 0) return 'everything is archived'
  const documents = files === 0 ? '' : ` and ${counted(files, 'imported document')}`
  return `${counted(messages, 'message')} of ${counted(sessions, 'changed session')}${documents} ${agreed(files === 0 ? messages : 2, 'is', 'are')} not archived yet`
}
