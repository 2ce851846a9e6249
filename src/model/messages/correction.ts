/** Corrections are saved under this, followed by the id of the message: so that there is one of each, and a retry finds it. */
const prefix = 'correction of '

/** The external id of the correction of a message. */
export function correctionNameOf(messageId: string): string {
  return `${prefix}${messageId}`
}

/** Of a correction the message that it corrects; a newer version that an import has found is none. */
export function correctedIdOf({
  externalId,
  replacesId,
}: {
  readonly externalId: string | null
  readonly replacesId: string | null
}): string | undefined {
  return replacesId !== null && externalId === correctionNameOf(replacesId) ? replacesId : undefined
}
