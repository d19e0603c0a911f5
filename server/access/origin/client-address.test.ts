import { describe, expect, test } from 'vitest'
import { clientOf } from './client-address'

function from(address?: string, trustedProxies = 0): string {
  const headers: Record<string, string> =
    address === undefined ? {} : { 'X-Forwarded-For': address }
  return clientOf(new Request('http://localhost/', { headers }), trustedProxies)
}

describe('clientOf', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    [' 192.0.2.7 ', '192.0.2.7'],
    ['192.0.2.7:51234', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['[::FFFF:192.0.2.7]:51234', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
  ])('%s is %s', (address, client) => {
    expect(from(address)).toBe(client)
  })

  test.each([undefined, '', 'unknown', '1.2.3', '::1::2', "'; DROP", '_gazonk'])(
    '%j is the same unknown client',
    (address) => {
      expect(from(address)).toBe('unknown')
    },
  )

  test.each([
    ['198.51.100.1, 192.0.2.7', 0, '192.0.2.7'],
    ['198.51.100.1, 192.0.2.7', 1, '192.0.2.7'],
    ['198.51.100.1, 192.0.2.7, 10.0.0.1', 2, '192.0.2.7'],
    ['198.51.100.1,,192.0.2.7,10.0.0.1,10.0.0.2', 3, '192.0.2.7'],
    ['192.0.2.7', 2, '192.0.2.7'],
  ])('%s through %d proxies is %s', (chain, trustedProxies, client) => {
    expect(from(chain, trustedProxies)).toBe(client)
  })
})
