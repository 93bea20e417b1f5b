// Proxies in front of the server: what X-Forwarded-Host and X-Forwarded-For say counts only when it comes from an address
// that ROENTGEN_TRUSTED_PROXIES names.
import { BlockList, isIP, isIPv6 } from 'node:net'

export interface ProxyList {
  includes(address: string | undefined): boolean
}

/** `entries`: addresses and networks such as 10.0.0.0/8. @throws Error for what is neither */
export function proxyList(entries: readonly string[]): ProxyList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (isIP(address) === 0) throw new Error(`${entry} is no address`)
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return {
    includes(address) {
      if (address === undefined) return false
      const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
      return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
    },
  }
}

/** What the browser asked for and who it is, as far as can be trusted. */
export function seenBy(
  proxies: ProxyList,
  o: { readonly headers: Headers; readonly peer: string | undefined; readonly host: string },
): { readonly host: string; readonly client: string | undefined } {
  if (!proxies.includes(o.peer)) return { host: o.host, client: o.peer }
  const forwarded = o.headers.get('x-forwarded-for')?.split(',') ?? []
  // From the right: the first address that no proxy of ours has is the one that the outermost of them saw.
  const client = forwarded.map((one) => one.trim()).findLast((one) => !proxies.includes(one))
  const host = o.headers.get('x-forwarded-host')?.split(',')[0]?.trim()
  return { host: host || o.host, client: client ?? o.peer }
}
