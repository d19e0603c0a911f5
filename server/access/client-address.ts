/** Who a client is, as far as limits go: its address. */
import { isIPv4, isIPv6 } from 'node:net'

/**
 * The client that sent the request, by its `X-Forwarded-For`. Each proxy adds to its end whom it was asked by, so that with so many of
 * ours in front the client is as far from the end; what is before that, the client may have made up. Without a proxy,
 * server/node/server-requests.ts has seen to it that the header is Next's own and has one address, the socket's.
 *
 * Of IPv6 it is the /64: that is what one customer gets, who may take another address of it for every request. The same for all whose
 * address can't be told.
 */
export function clientOf(request: Request, trustedProxies: number): string {
  const chain = (request.headers.get('x-forwarded-for') ?? '').split(',')
  // Whoever came around one of them is named first.
  const text = (chain.at(-Math.max(1, trustedProxies)) ?? chain[0] ?? '').trim()
  // Some proxies name the port too.
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? []
  const [, beforePort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? beforePort ?? text).replace(/%.*$/, '')
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(address) ?? []
  const ipv4 = mapped ?? address
  if (isIPv4(ipv4)) return ipv4
  return isIPv6(address) ? `${networkOf(address)}::/64` : 'unknown'
}

/** The first four of the eight groups. */
function networkOf(address: string): string {
  const [head = [], tail = []] = address
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0')
  return [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')
}
