// Where a webhook may go: public addresses only, unless a setting allows the own network. The address that was checked is
// the one that is connected to, so that a name cannot change in between (DNS rebinding).
import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { AppError } from '../../errors.ts'

const NOT_PUBLIC = new BlockList()
/** RFC 6890 and its registries: own machine, private, link-local, shared, documentation, multicast, reserved. */
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  NOT_PUBLIC.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  NOT_PUBLIC.addSubnet(network, bits, 'ipv6')
}

/** Also for IPv4 written as IPv6 (::ffff:127.0.0.1), which Node's block list looks through. */
export function isPublicAddress(ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && !NOT_PUBLIC.check(ip, family === 4 ? 'ipv4' : 'ipv6')
}

const REFUSAL =
  'This address lies in a private network. Set ROENTGEN_NOTIFY_PRIVATE=1 if notifications may go there.'

/** An http or https address without credentials. @throws AppError `invalid` */
export function parseWebAddress(text: string, { allowsPrivate }: { allowsPrivate: boolean }): URL {
  const url = URL.parse(text)
  if (!url || !['https:', 'http:'].includes(url.protocol)) {
    throw new AppError('invalid', 'A webhook address must begin with https://.')
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError('invalid', 'A webhook’s address may not contain a name or password.')
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isOwn = host === 'localhost' || host.endsWith('.localhost')
  if (!allowsPrivate && (isOwn || (isIP(host) !== 0 && !isPublicAddress(host)))) {
    throw new AppError('invalid', REFUSAL)
  }
  if (url.protocol === 'http:' && !allowsPrivate) {
    throw new AppError('invalid', 'Public addresses must use https.')
  }
  return url
}

/** For `http.request`: resolves, refuses what is not public, and gives the very address that was checked. */
export function publicLookup({ allowsPrivate }: { allowsPrivate: boolean }): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = found as LookupAddress[]
      const [first] = addresses ?? []
      if (error || !first) return callback(error ?? new Error('no address'), '', 0)
      if (!allowsPrivate && addresses.some(({ address }) => !isPublicAddress(address))) {
        return callback(new AppError('invalid', REFUSAL), '', 0)
      }
      if (options.all) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}
