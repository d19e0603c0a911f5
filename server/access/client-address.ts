/** Who a client is, as far as limits go: its address. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { RequestHead } from '@/server/sse-request'

/**
 * The client that sent the request, by its `X-Forwarded-For`. Each proxy adds to its end whom it was asked by, so that with so many of
 * ours in front the client is as far from the end; what is before that, the client may have made up. Without a proxy,
 * server/node/server-requests.ts has seen to it that the header is Next's own and has one address, the socket's.
 *
 * Of IPv6 it is the /64: that is what one customer gets, who may take another address of it for every request. The same for all whose
 * address can't be told.
 */
export function clientOf(request: RequestHead, trustedProxies: number): string {
  const chain = (request.headers.get('x-forwarded-for') ?? '').split(',')
  // Whoever came around one of them is named first.
  const text = (chain.at(-Math.max(1, trustedProxies)) ?? chain[0] ?? '').trim()
  // Some proxies name the port too.
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? []
  const [, beforePort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? beforePort ?? text).replace(/%.*$/, '')
  // As Node writes an IPv4 address on a socket that takes both kinds.
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(address) ?? []
  const plain = mapped ?? address
  switch (isIP(plain)) {
    case 4:
      return plain
    case 6:
      return `${ipaddr.IPv6.networkAddressFromCIDR(`${plain}/64`).toString()}/64`
    default:
      return 'unknown'
  }
}
