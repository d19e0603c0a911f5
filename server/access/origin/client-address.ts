/** Identifies a client by its address, for the limits per client. */
import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { RequestHead } from '@/server/sse/sse-request'

/** Whom the limits count: the user, where there is one, else the client's address. */
export function limitedClient(
  request: RequestHead,
  subject: string | undefined,
  trustedProxies: number,
): string {
  return subject === undefined ? clientOf(request, trustedProxies) : `subject ${subject}`
}

/**
 * Finds the client's address in `X-Forwarded-For`. Each proxy appends the address that it got the request from. So with n trusted
 * proxies in front, the client is the nth address from the end; the client may have made up everything before it. Without a proxy,
 * server/node/server-requests.ts makes sure that Next sets the header itself, with one address: the socket's.
 *
 * An IPv6 address is shortened to its /64, because a provider gives each customer a /64, and the customer could use another address
 * for every request. Returns the same value for all clients whose address is unknown.
 */
export function clientOf(request: RequestHead, trustedProxies: number): string {
  const chain = (request.headers.get('x-forwarded-for') ?? '').split(',')
  // Fewer addresses than proxies: the request bypassed a proxy, so the first address is the client.
  const text = (chain.at(-Math.max(1, trustedProxies)) ?? chain[0] ?? '').trim()
  // Most are plain.
  if (isIPv4(text)) return text
  // Some proxies add the port.
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? []
  const [, beforePort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? beforePort ?? text).replace(/%.*$/, '')
  // On a dual-stack socket, Node writes an IPv4 address like this.
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
