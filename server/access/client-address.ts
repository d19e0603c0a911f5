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
  // `ipaddr.js` by itself would take 1.2.3 for an address.
  if (isIP(address) === 0) return 'unknown'
  // An IPv4 address that is written as IPv6 counts as IPv4.
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`).toString()}/64`
}
