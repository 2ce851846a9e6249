import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { isNewer, versionIn } from '../../src/store/embedded/client-version.ts'
import { tryLockHome } from '../../src/store/embedded/daemon/home-lock.ts'
import { networkFileSystemOf } from '../../src/store/embedded/daemon/network-file-system.ts'
import { prepareHome, socketPathOf } from '../../src/store/embedded/home.ts'

test('prepareHome() makes every directory for its owner only', () => {
  const home = mkdtempSync(join(tmpdir(), 'verbatim-home-'))
  prepareHome(home)
  for (const name of ['', 'archive', 'keys', 'log']) expect(statSync(join(home, name)).mode & 0o777).toBe(0o700)
  rmSync(home, { recursive: true })
})

test('socketPathOf() stays within what a socket address holds, one path for one home', () => {
  const long = `/${'directory/'.repeat(20)}home`
  expect(socketPathOf('/short')).toBe('/short/verbatim.sock')
  expect(Buffer.byteLength(socketPathOf(long))).toBeLessThan(100)
  expect(socketPathOf(long)).toBe(socketPathOf(`${long}/`))
  expect(socketPathOf(long)).not.toBe(socketPathOf(`${long}2`))
})

test('tryLockHome() gives the lock to one holder until it is released', () => {
  const home = mkdtempSync(join(tmpdir(), 'verbatim-lock-'))
  const file = join(home, 'verbatim.lock')
  const first = tryLockHome(file)
  expect(first).toBeDefined()
  expect(tryLockHome(file)).toBeUndefined()
  first?.release()
  const second = tryLockHome(file)
  expect(second).toBeDefined()
  second?.release()
  rmSync(home, { recursive: true })
})

test('networkFileSystemOf() names NFS, CIFS and sshfs and lets local ones pass', () => {
  const mountInfo = [
    '22 1 8:1 / / rw - ext4 /dev/sda1 rw',
    '40 22 0:50 / /home/a rw - fuse.sshfs host:/ rw',
    '41 22 0:51 / /home/b rw - fuseblk /dev/sdb1 rw',
    '42 40 0:52 / /home/a/vault rw - fuse.gocryptfs /x rw',
    String.raw`43 22 0:53 / /home/with\040space rw - fuse.rclone r: rw`,
  ].join('\n')
  const fuse = { type: 0x65735546, mountInfo }
  expect(networkFileSystemOf('/x', { type: 0x6969, mountInfo })).toBe('NFS')
  expect(networkFileSystemOf('/x', { type: 0xff534d42 | 0, mountInfo })).toBe('CIFS')
  expect(networkFileSystemOf('/home/a/.verbatim', fuse)).toBe('fuse.sshfs')
  expect(networkFileSystemOf('/home/with space/x', fuse)).toBe('fuse.rclone')
  expect(networkFileSystemOf('/home/b/.verbatim', fuse)).toBeUndefined()
  expect(networkFileSystemOf('/home/a/vault/x', fuse)).toBeUndefined()
  expect(networkFileSystemOf('/home/abc', { type: 0xef53, mountInfo })).toBeUndefined()
})

test('isNewer() compares versions by number and puts a pre-release before its release', () => {
  expect(isNewer('1.10.0', '1.9.9')).toBe(true)
  expect(isNewer('1.2.3', '1.2.3')).toBe(false)
  expect(isNewer('1.2.3', '1.2.3-rc.1')).toBe(true)
  expect(isNewer('1.2.2', '1.2.3')).toBe(false)
  expect(isNewer('latest', '1.2.3')).toBe(false)
  expect(versionIn('verbatim/1.2.3')).toBe('1.2.3')
  expect(versionIn('psql')).toBeUndefined()
})
