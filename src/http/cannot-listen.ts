import { codeOf, UnavailableError } from '../errors.ts'

/** Why nobody can listen at an address, and what to do. */
export function cannotListen(
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
  remedy: string,
): UnavailableError {
  const why = { EADDRINUSE: 'another program has it', EACCES: 'this user may not have it' }[codeOf(error) ?? '']
  return new UnavailableError(`Cannot listen on ${host}:${port}${why === undefined ? '' : ` as ${why}`}`, {
    remedy,
    cause: error,
  })
}
