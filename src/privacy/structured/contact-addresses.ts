import { isIP } from 'node:net'

import { before, detectionsOf, type Detector, type Place } from '../detection.ts'

/** E-mail addresses, in any script. Those of domains that are kept for examples name nobody. */
export const emails: Detector = (text) =>
  detectionsOf(text, {
    type: 'email',
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_][\p{L}\p{N}._%+'-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,6}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
    confidence: 0.98,
    // `git@github.com:owner/name` is the address of a repository.
    accepts: (found, { text, end }) => !(found.startsWith('git@') && /[:/]/u.test(text[end] ?? '')),
  })

const versionCue = /(?:\bv|version|release|build|@|[~^<>=])[ :=]{0,2}$/iu

/** Loopback, masks and the addresses of documentation are nobody's. */
function isOfMachine(address: string): boolean {
  return (
    !/^(?:0\.|127\.|255\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.)/u.test(address) &&
    !/^\d+\.0\.0\.\d+$/u.test(address)
  )
}

function acceptsIpv4(found: string, place: Place): boolean {
  return isIP(found) === 4 && isOfMachine(found) && !versionCue.test(before(place, 12))
}

/** `a::b` is an address by its form, and a name in C++ or Rust more often. */
function acceptsIpv6(found: string): boolean {
  const groups = found.split(':').filter((group) => group.length > 0)
  return isIP(found) === 6 && groups.length >= 3 && /\d/u.test(found) && !/^2001:0?db8:/iu.test(found)
}

/** Addresses of machines: IPv4, IPv6 and those of network cards. */
export const networkAddresses: Detector = (text) => [
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)/gu,
    confidence: 0.95,
    accepts: acceptsIpv4,
  }),
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w:.])[\da-f]{0,4}(?::[\da-f]{0,4}){3,7}(?![\w:]|\.\w)/giu,
    confidence: 0.95,
    accepts: acceptsIpv6,
  }),
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w:-])[\da-f]{2}(?:(?::[\da-f]{2}){5}|(?:-[\da-f]{2}){5})(?![\w:-])/giu,
    confidence: 0.9,
  }),
]
