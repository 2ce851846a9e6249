import { fstatSync } from 'node:fs'

/** An open file, as Emscripten gives it to its file systems. */
interface OpenFile {
  /** The descriptor; those of copies made by `dup` are the same, and counted. */
  readonly nfd: number
  readonly shared: { readonly refcount: number }
  readonly flags: number
  /** As it was opened. */
  readonly path: string
}

interface Change {
  readonly size?: number
}

/** Bytes of a buffer, and where in the file they go. */
type Written = readonly [buffer: Uint8Array, at: number, length: number, position: number]

/** What is exchanged of Emscripten's NODEFS. */
export interface FileOperations {
  readonly node_ops: { setattr: (node: object, change: Change) => void }
  readonly stream_ops: {
    open: (file: OpenFile) => void
    close: (file: OpenFile) => void
    setattr: (file: OpenFile, change: Change) => void
    llseek: (file: OpenFile, offset: number, whence: number) => number
    write: (file: OpenFile, ...what: Written) => number
  }
}

/** `SEEK_END` and `O_APPEND`, as Emscripten defines them on every system. */
const seekEnd = 2
const appends = 0o2000

/** A file that is open at least once; `end` is undefined until it is asked for. */
interface KnownFile {
  readonly name: string
  readonly path: string
  /** Whether it is one: some file systems give several files one number. Of one that was renamed that is not known either. */
  isOne: boolean
  opened: number
  end: number | undefined
}

/**
 * Keeps in memory where open files end, as nobody else writes to them. PostgreSQL asks for it each time it begins to scan a table, for each
 * row of a nested loop again, and expects the answer for free: by `fstat` it took most of the engine's time where many
 * facts were read.
 */
export function rememberEnds({ node_ops: nodeOps, stream_ops: streamOps }: FileOperations): void {
  const files = new Map<string, KnownFile>()
  const byDescriptor = new Map<number, KnownFile>()
  const { setattr: setNode } = nodeOps
  const { open, close, setattr: setFile, llseek, write } = streamOps
  const forget = (file: OpenFile) => {
    const known = byDescriptor.get(file.nfd)
    if (known !== undefined) known.end = undefined
    return known
  }

  // By its path, which does not say which of the open files that is: a table that goes, as a rule.
  nodeOps.setattr = (node, change) => {
    for (const known of files.values()) known.end = undefined
    setNode(node, change)
  }
  streamOps.setattr = (file, change) => {
    forget(file)
    setFile(file, change)
  }
  // Emscripten's nodes do not tell files apart: after a file was renamed over another, theirs may stand for a third.
  streamOps.open = (file) => {
    open(file)
    const name = nameOf(file)
    if (name === undefined) return
    const known = files.get(name) ?? { name, path: file.path, isOne: true, opened: 0, end: undefined }
    known.opened++
    known.isOne &&= known.path === file.path
    known.end = undefined
    files.set(name, known)
    byDescriptor.set(file.nfd, known)
  }
  streamOps.close = (file) => {
    const known = byDescriptor.get(file.nfd)
    if (known !== undefined && file.shared.refcount === 1) {
      byDescriptor.delete(file.nfd)
      known.opened--
      if (known.opened === 0) files.delete(known.name)
    }
    close(file)
  }
  streamOps.llseek = (file, offset, whence) => {
    const known = whence === seekEnd ? byDescriptor.get(file.nfd) : undefined
    if (known === undefined || !known.isOne) return llseek(file, offset, whence)
    known.end ??= llseek(file, 0, seekEnd)
    // What is refused is told by the original, in its own words.
    return known.end + offset < 0 ? llseek(file, offset, whence) : known.end + offset
  }
  streamOps.write = (file, ...what) => {
    const [, , , position] = what
    const end = byDescriptor.get(file.nfd)?.end
    // Where it fails, or writes elsewhere than it was told, the system is asked again.
    const known = forget(file)
    const written = write(file, ...what)
    if (known !== undefined && end !== undefined && (file.flags & appends) === 0)
      known.end = written > 0 ? Math.max(end, position + written) : end
    return written
  }
}

/** What tells an open file from all others; undefined where the system does not say: its end is not kept then. */
function nameOf({ nfd }: OpenFile): string | undefined {
  try {
    const { dev, ino } = fstatSync(nfd, { bigint: true })
    return ino === 0n ? undefined : `${dev}:${ino}`
  } catch {
    return undefined
  }
}
