import { asUpdated } from '../updated.ts'

/** Whether an import failed because the package, or one that it needs, is not on this machine. A file of our own is no package. */
export function isModuleMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const isMissing = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  return isMissing && asUpdated(error) === error
}

/** Imports a package that need not be there, and of which nothing is known when this is compiled. */
export async function importPackage<T>(name: string, isIt: (module: object) => module is T & object): Promise<T> {
  const module: unknown = await import(name)
  // A CommonJS package may have all its exports in its default only.
  const candidates = [module, typeof module === 'object' && module !== null && 'default' in module && module.default]
  for (const candidate of candidates)
    if (typeof candidate === 'object' && candidate !== null && isIt(candidate)) return candidate
  throw new Error(`The package ${name} has another form than the one that is known`)
}
