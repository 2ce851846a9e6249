import { readFileSync, statfsSync } from 'node:fs'
import { resolve, sep } from 'node:path'

import { UnavailableError } from '../../../errors.ts'

/**
 * Types that statfs(2) reports for file systems on another machine. 9p is not among them: it is how WSL and several
 * sandboxes show a disk of the same machine.
 */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x69_69, 'NFS'],
  [0x51_7b, 'SMB'],
  [0xff_53_4d_42, 'CIFS'],
  [0xfe_53_4d_42, 'SMB2'],
  [0x53_46_41_4f, 'AFS'],
  [0x73_75_72_45, 'Coda'],
  [0x00_c3_64_00, 'Ceph'],
  [0x0b_d0_0b_d0, 'Lustre'],
  [0x47_50_46_53, 'GPFS'],
  [0x19_83_03_26, 'BeeGFS'],
  [0x01_16_19_70, 'GFS2'],
  [0x74_61_63_6f, 'OCFS2'],
])

const fuseType = 0x65_73_55_46

/** FUSE carries local file systems (ntfs-3g, gocryptfs) and remote ones; the mount table names which it is. */
const remoteFuse =
  /^fuse\.(?:sshfs|rclone|s3fs|gcsfuse|goofys|davfs2?|curlftpfs|glusterfs|ceph|mfs|juicefs|blobfuse2?)$/

export interface FileSystemProbe {
  readonly type: number
  /** The contents of /proc/self/mountinfo. */
  readonly mountInfo: string
}

/** The name of the network file system that `path` lies on; `undefined` where it is local or cannot be told. */
export function networkFileSystemOf(path: string, probe: FileSystemProbe): string | undefined {
  const named = networkTypes.get(probe.type >>> 0)
  if (named !== undefined) return named
  if (probe.type >>> 0 !== fuseType) return undefined
  const type = mountTypeOf(resolve(path), probe.mountInfo)
  return type !== undefined && remoteFuse.test(type) ? type : undefined
}

/**
 * Locks and syncs are not to be trusted across a network: two daemons in one store silently lose rows that were
 * acknowledged. Linux tells the type; elsewhere only a Windows share is recognised, by its path.
 */
export function refuseNetworkFileSystem(home: string): void {
  let name: string | undefined
  if (process.platform === 'linux') {
    const probe = { type: statfsSync(home).type, mountInfo: readFileSync('/proc/self/mountinfo', 'utf8') }
    name = networkFileSystemOf(home, probe)
  } else if (process.platform === 'win32' && resolve(home).startsWith(String.raw`\\`)) {
    name = 'network share'
  }
  if (name === undefined) return
  throw new UnavailableError(`Cannot keep the store in "${home}" as it must be on a local disk: it is on ${name}`, {
    remedy: 'Set VERBATIM_HOME to a directory on a local disk',
  })
}

/** The type of the mount with the longest matching path; of equal ones the last, which covers the others. */
function mountTypeOf(path: string, mountInfo: string): string | undefined {
  let longest = -1
  let type: string | undefined
  for (const line of mountInfo.split('\n')) {
    const [left, right] = line.split(' - ')
    const point = left?.split(' ')[4]?.replaceAll(String.raw`\040`, ' ')
    if (point === undefined || right === undefined || point.length < longest) continue
    if (path === point || path.startsWith(point.endsWith(sep) ? point : point + sep)) {
      longest = point.length
      type = right.split(' ')[0]
    }
  }
  return type
}
