/** The content security policy, in a real Chromium: it lets every page do what it does, and nothing else. */
import { sendRequest } from '../../test/requests/send-request'
import { asPublisher } from '../../test/requests/publisher'
import { expect, test } from '../../test/fixtures/page-test'
import { visitPages, watchViolations } from '../../test/pages/visit-pages'

test.describe('The pages', () => {
  // Some are not to be found.
  test.use({ toleratedComplaint: /Failed to load resource/ })

  test('violate no policy', async ({ page, server }) => {
    const violations = await watchViolations(page)

    await visitPages(page, server.url)

    expect(violations).toEqual([])
  })
})

test.describe('A script that the page does not name', () => {
  test.use({ toleratedComplaint: /Content Security Policy|Failed to load resource/ })

  test('does not run, and nothing frames the page', async ({ page, server }) => {
    const violations = await watchViolations(page)
    await page.goto(`${server.url}/topics/injected`)
    await expect(page.getByRole('status').first()).toContainText('Live')

    await page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<img src="/none" onerror="window.ran = 1">')
      const base = document.createElement('base')
      base.href = 'https://evil.example/'
      document.head.append(base)
      const frame = document.createElement('iframe')
      frame.src = '/'
      document.body.append(frame)
      const style = document.createElement('style')
      style.textContent = 'body { display: none }'
      document.head.append(style)
    })

    await expect
      .poll(() => new Set(violations.map((text) => text.split(' ')[0])))
      .toEqual(new Set(['base-uri', 'frame-src', 'script-src-attr', 'style-src-elem']))
    expect(await page.evaluate(() => 'ran' in window)).toBe(false)
  })
})

test('Every answer has a nonce of its own, and its scripts bear it', async ({ server }) => {
  const nonces = new Set<string>()

  for (const path of ['/', '/', '/topics/news', '/nothing']) {
    const { headers, body } = await sendRequest(server.url, path)
    const [, nonce = ''] = /'nonce-([^']+)'/.exec(String(headers['content-security-policy'])) ?? []
    const scripts = body.match(/<script\b[^>]*>/g) ?? []
    expect(scripts.length).toBeGreaterThan(3)
    for (const script of scripts) expect(script).toContain(`nonce="${nonce}"`)
    nonces.add(nonce)
  }

  expect(nonces.size).toBe(4)
})

test('However a page is asked for, its policy lets no script run but by a nonce', async ({
  server,
}) => {
  const policies: [string, string][] = []
  for (const path of ['/', '/topics/news', '/topics/-', '/nothing', '/eventsource']) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      for (const [framing, headers, body] of [
        ['no body', {}, undefined],
        ['a length', {}, 'x=1'],
        ['a length of 0', {}, ''],
        ['chunks', { 'transfer-encoding': 'chunked' }, 'x=1'],
        ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'x=1'],
        ['an action', { 'content-type': 'text/plain', 'next-action': 'x' }, '[]'],
      ] as [string, Record<string, string>, string | undefined][]) {
        const answer = await sendRequest(server.url, path, { method, headers, body })
        const policy = String(answer.headers['content-security-policy'])
        policies.push([`${method} ${path} with ${framing}: ${answer.status}`, policy])
      }
    }
  }

  const isStrict = (policy: string): boolean =>
    policy.includes("default-src 'none'") &&
    policy.includes("frame-ancestors 'none'") &&
    !/unsafe|script-src 'self'/.test(policy)
  expect(policies.filter(([, policy]) => !isStrict(policy))).toEqual([])
})

test('Every answer says what a browser must not make of it', async ({ server }) => {
  const stream = await sendRequest(server.url, '/events/news')
  const problem = await sendRequest(server.url, '/events/-')
  const ids = await sendRequest(server.url, '/events/csp', {
    method: 'POST',
    headers: asPublisher,
    body: '<script>alert(1)</script>',
  })
  const page = await sendRequest(server.url, '/')

  for (const { headers } of [stream, problem, ids]) {
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'")
  }
  for (const { headers } of [stream, problem, ids, page]) {
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
    })
  }
  expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
})
