import { isIP } from 'node:net'

import { before, detectionsOf, type Detector, type Place } from '../detection.ts'

/** In `scheme://user:password@host` what stands around the sign is a password and a machine. */
const passwordBefore = /[a-z][a-z\d+.-]{1,20}:\/\/[^\s:/@"'<>]{0,100}:[^\s/"'<>]{0,100}$/iu

/** E-mail addresses, in any script, also with a name in quotes or at an address of a machine. */
export const emails: Detector = (text) =>
  detectionsOf(text, {
    type: 'email',
    pattern:
      /(?<![\p{L}\p{N}._%+-])(?:[\p{L}\p{N}_][\p{L}\p{M}\p{N}._%+'-]{0,63}|"[\p{L}\p{N}._ +-]{1,64}")@(?:(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.){1,6}(?:\p{L}[\p{L}\p{M}]{1,23}|xn--[a-z\d-]{2,40})(?![\p{L}\p{N}])|\[[\da-f:.]{2,45}\])/giu,
    confidence: 0.98,
    // `git@github.com:owner/name` is the address of a repository.
    accepts: (found, place) =>
      !(found.startsWith('git@') && /[:/]/u.test(place.text[place.end] ?? '')) &&
      !passwordBefore.test(before(place, 230)),
  })

const versionCue = /(?:\bv|version|release|build|@|[~^<>]=?|==)[ :="']{0,3}$/iu

/** Loopback and masks are nobody's; `1.0.0.3` and `120.0.0.0` are versions more often. */
function isOfMachine(address: string): boolean {
  return !/^(?:0\.|127\.|255\.|\d{1,3}\.0\.0\.0$|\d\.0\.0\.\d+$)/u.test(address)
}

function acceptsIpv4(found: string, place: Place): boolean {
  return isIP(found) === 4 && isOfMachine(found) && !versionCue.test(before(place, 12))
}

/** `a::b` is an address by its form, and a name in C++ or Rust more often. */
function acceptsIpv6(found: string): boolean {
  const groups = found.split(':').filter((group) => group.length > 0)
  if (isIP(found) !== 6 || !/\d/u.test(found)) return false
  return groups.length >= 3 || /^(?:fe80|f[cd][\da-f]{2}|2[\da-f]{3}):/iu.test(found)
}

/** Addresses of machines: IPv4, IPv6 and those of network cards. */
export const networkAddresses: Detector = (text) => [
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w.-]|::ffff:)(?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)/giu,
    confidence: 0.96,
    accepts: (found, place) => acceptsIpv4(found.replace(/^::ffff:/iu, ''), place),
  }),
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w:.])[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?![\w:]|\.\w)/giu,
    confidence: 0.95,
    accepts: acceptsIpv6,
  }),
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w:-])[\da-f]{2}(?:(?::[\da-f]{2}){5}|(?:-[\da-f]{2}){5})(?![\w:-])/giu,
    confidence: 0.9,
  }),
  ...detectionsOf(text, {
    type: 'network_address',
    pattern: /(?<![\w.])(?=[\d.]{0,13}[a-f])(?=[a-f.]{0,13}\d)[\da-f]{4}(?:\.[\da-f]{4}){2}(?![\w]|\.\w)/giu,
    confidence: 0.8,
  }),
]
