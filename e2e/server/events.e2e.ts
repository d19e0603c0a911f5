/** `/events` over real sockets: tests that need a running server. */
import { request as httpRequest } from 'node:http'
import { test, expect } from '../../test/fixtures/page-test'

/** Sends one request; resolves with the status once the answer's headers are there, and goes away if `leave`. */
function send(url: string, method: string, { leave = false } = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method }, (response) => {
      if (leave) request.destroy()
      else response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.end()
  })
}

test.describe('GET /events', () => {
  test('streams uncompressed to a reader that accepts gzip', async ({ server }) => {
    const response = await fetch(`${server.url}/events?lastEventId=hello.2`, {
      headers: { 'accept-encoding': 'gzip, br' },
    })

    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform')
    expect(response.headers.get('connection')).toBe('close')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    expect(response.headers.get('x-powered-by')).toBeNull()
    expect(await response.text()).toMatch(/\nid: hello\.3\n\nevent: end\ndata: \{\}\n\n$/)
  })

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    test(`answers ${method} with 405`, async ({ server }) => {
      expect(await send(`${server.url}/events`, method)).toBe(405)
    })
  }

  test('answers a method that is not HTTP’s own with 400, as Next does', async ({ server }) => {
    expect(await send(`${server.url}/events`, 'PROPFIND')).toBe(400)
  })

  test('leaves no stream behind: HEADs, readers that leave, and the image optimiser', async ({
    server,
  }) => {
    const events = `${server.url}/events`
    const images = [640, 750, 828, 1080, 1200, 1920, 2048, 3840].map((width) =>
      send(`${server.url}/_next/image?url=%2Fevents&w=${width}&q=75`, 'GET'),
    )

    const [heads, gets] = await Promise.all([
      Promise.all(Array.from({ length: 200 }, () => send(events, 'HEAD'))),
      Promise.all(Array.from({ length: 200 }, () => send(events, 'GET', { leave: true }))),
      Promise.all(images),
    ])

    expect(new Set([...heads, ...gets])).toEqual(new Set([200]))
    await expect.poll(server.openStreams).toBe(0)
  })

  test('readers that leave before the answer leave no stream behind', async ({ server }) => {
    const leaving = Array.from({ length: 50 }, () => {
      const request = httpRequest(`${server.url}/events`)
      const closed = new Promise((resolve) => request.once('close', resolve))
      request.on('error', () => {})
      request.end(() => request.destroy())
      return closed
    })

    await Promise.all(leaving)

    await expect.poll(server.openStreams).toBe(0)
  })
})
