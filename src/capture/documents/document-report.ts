/** What an import has found in a document. */
export interface DocumentReport {
  readonly document: string
  readonly sizeBytes: number
  /** Entries by kind: message, event, unknown, damaged. */
  readonly counts: Readonly<Record<string, number>>
  readonly added: number
  /** Entries that were stored already. */
  readonly known: number
  /** Entries that were erased or anonymised before: they are not stored again, nor is what is needed to give back the file. */
  readonly erased: number
  readonly sessionIds: readonly string[]
  readonly problems: readonly { readonly entry: number; readonly problem: string }[]
}

/** The report of a second reading, which found known what the first one had stored before it came to nothing. */
export function withStoredBefore(report: DocumentReport, added: number): DocumentReport {
  return { ...report, added: report.added + added, known: Math.max(report.known - added, 0) }
}
