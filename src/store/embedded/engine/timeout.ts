/** A wait that may be cut short by `resolve`. */
export function timeout(ms: number): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    const timer = setTimeout(done, ms)
    resolve = () => {
      clearTimeout(timer)
      done()
    }
  })
  return { promise, resolve }
}
