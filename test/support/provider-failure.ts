import { ProviderError } from '../../src/ports/provider-error.ts'

/** The ProviderError that a piece of work must end with. */
export async function providerFailure(work: Promise<unknown>): Promise<ProviderError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ProviderError)) throw new Error('Expected a ProviderError', { cause: error })
  return error
}
