import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isCrossSite } from './cross-site'

function publish(headers: Record<string, string>): Request {
  return new Request('http://localhost:3000/events/news', { method: 'POST', headers })
}

describe('isCrossSite', () => {
  test('a request without a browser’s headers is not', () => {
    expect(isCrossSite(publish({}))).toBe(false)
    expect(isCrossSite(publish({ Host: 'localhost:3000' }))).toBe(false)
  })

  test.each([
    ['same-origin', false],
    ['none', false],
    ['same-site', true],
    ['cross-site', true],
    ['', true],
    ['anything-new', true],
  ])('Sec-Fetch-Site: %s decides alone: %j', (site, foreign) => {
    const own = { Host: 'localhost:3000', Origin: 'http://localhost:3000' }
    const other = { Host: 'localhost:3000', Origin: 'https://evil.example' }

    expect(isCrossSite(publish({ 'Sec-Fetch-Site': site }))).toBe(foreign)
    expect(isCrossSite(publish({ 'Sec-Fetch-Site': site, ...own }))).toBe(foreign)
    expect(isCrossSite(publish({ 'Sec-Fetch-Site': site, ...other }))).toBe(foreign)
  })

  test.each([
    ['http://localhost:3000', 'localhost:3000'],
    ['http://LocalHost:3000', 'LOCALHOST:3000'],
    ['https://example.com', 'example.com'],
    ['https://example.com', 'example.com:443'],
    ['http://example.com', 'example.com:80'],
    ['http://[::1]:3000', '[::1]:3000'],
  ])('without it, Origin %s matches Host %s', (origin, host) => {
    expect(isCrossSite(publish({ Origin: origin, Host: host }))).toBe(false)
  })

  test.each([
    ['https://evil.example', 'example.com'],
    ['https://sub.example.com', 'example.com'],
    ['https://example.com.evil.example', 'example.com'],
    ['http://localhost:3001', 'localhost:3000'],
    ['http://localhost', 'localhost:3000'],
    ['https://example.com', 'example.com:80'],
    ['null', 'example.com'],
    ['null', 'null'],
    ['', 'example.com'],
    ['example.com', 'example.com'],
    ['file://', 'example.com'],
    ['file://', ''],
    ['https://example.com', 'not a host'],
    ['https://example.com', ''],
  ])('without it, Origin %j is foreign to Host %j', (origin, host) => {
    expect(isCrossSite(publish({ Origin: origin, Host: host }))).toBe(true)
  })

  test('without it, any Origin is foreign when Host is missing', () => {
    expect(isCrossSite(publish({ Origin: 'http://localhost:3000' }))).toBe(true)
  })

  test('without it, an origin matches only its own host', () => {
    const authority = fc.webAuthority({ withPort: true })

    fc.assert(
      fc.property(authority, authority, fc.constantFrom('http', 'https'), (one, other, scheme) => {
        const origin = URL.canParse(`${scheme}://${one}`) ? `${scheme}://${one}` : 'null'
        fc.pre(origin !== 'null' && URL.canParse(`${scheme}://${other}`))
        const isSame = new URL(origin).host === new URL(`${scheme}://${other}`).host

        expect(isCrossSite(publish({ Origin: origin, Host: one }))).toBe(false)
        expect(isCrossSite(publish({ Origin: origin, Host: other }))).toBe(!isSame)
      }),
    )
  })
})
