// @vitest-environment jsdom
/** When a client asks again: what it forgives, what a server asks for, and what it does without a network. */
import { describe, expect, test, vi } from 'vitest'
import { createEventSourceClient } from './event-source-client'
import { happenings, newest, page, installModelPage, settle } from '@/test/doubles/model-page'
import { sources } from '@/test/doubles/model-source'
import { transports } from '@/test/doubles/transports'

describe.each(transports)('createController by $by', ({ transport }) => {
  installModelPage(transport)

  test('a connection that was good for five seconds forgives what failed before it', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    newest()?.lose()
    await vi.advanceTimersByTimeAsync(2_000)
    newest()?.lose()
    await settle()
    expect(client.getState().attempt).toBe(2)
    await vi.advanceTimersByTimeAsync(4_000)

    await vi.advanceTimersByTimeAsync(5_000)
    newest()?.lose()
    await settle()

    expect(client.getState().attempt).toBe(1)
    client.close()
  })

  test.each(['close', 'disable', 'pagehide', 'ask', 'lose'])(
    'a good connection that ends by %s forgives what failed before it',
    async (end) => {
      const client = createEventSourceClient({
        url: 'http://localhost/events',
        transport,
        maxAttempts: 3,
      })
      client.open()
      await vi.advanceTimersByTimeAsync(100)
      newest()?.lose()
      await vi.advanceTimersByTimeAsync(2_000)
      newest()?.lose()
      await vi.advanceTimersByTimeAsync(4_000)
      expect(client.getState().status).toBe('open')

      await vi.advanceTimersByTimeAsync(10_000)
      happenings[end]?.(client)
      client.open()
      dispatchEvent(new Event('pageshow'))
      await vi.advanceTimersByTimeAsync(4_000)
      newest()?.lose()
      await settle()

      expect(client.getState().status).toBe('reconnecting')
      client.close()
    },
  )

  test.each([
    ['drains', 'drain'],
    ['has ended the right to the stream', 'revoked'],
  ])(
    'a server that %s is come back to within the time that it names, and nothing counts as failed',
    async (_, reason) => {
      vi.spyOn(Math, 'random').mockReturnValue(0.5)
      const client = createEventSourceClient({
        url: 'http://localhost/events',
        transport,
        maxAttempts: 1,
      })
      client.open()
      for (let n = 0; n < 5; n++) {
        await vi.advanceTimersByTimeAsync(100)
        expect(client.getState()).toMatchObject({ status: 'open', error: undefined })

        newest()?.ask(3_000, reason)
        await settle()

        const { status, attempt, error, retryAt = 0 } = client.getState()
        expect({ status, attempt, error }).toMatchObject({
          status: 'reconnecting',
          attempt: 0,
          error: { kind: 'asked' },
        })
        expect(retryAt - Date.now()).toBe(1_500)
        await vi.advanceTimersByTimeAsync(1_500)
      }
      client.close()
    },
  )

  test('a server that drains before it says anything else is come back to as one that failed', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    client.open()
    await vi.advanceTimersByTimeAsync(5)
    const data = '{"retryMs":3000,"reason":"drain"}'

    newest()?.dispatchEvent(new Event('open'))
    newest()?.dispatchEvent(new MessageEvent('reconnect', { data, lastEventId: '' }))
    await settle()

    const { attempt, retryAt = 0 } = client.getState()
    expect(attempt).toBe(1)
    expect(retryAt - Date.now()).toBeGreaterThanOrEqual(3_000)
    client.close()
  })

  describe('while the browser says that it is offline', () => {
    test('a stream that was lost is asked for every 30 s, as the server may be on this machine', async () => {
      const client = createEventSourceClient({
        url: 'http://localhost/events',
        transport,
        maxAttempts: 2,
      })
      client.open()
      await vi.advanceTimersByTimeAsync(100)
      page.isOnline = false
      sources.isReachable = false

      newest()?.lose()
      await settle()
      for (let asked = 1; asked < 10; asked++) {
        expect(client.getState()).toMatchObject({ status: 'paused', readyState: 0 })
        expect(sources.all).toHaveLength(asked)
        await vi.advanceTimersByTimeAsync(29_900)
        expect(sources.all).toHaveLength(asked)
        // And the 20 ms in which no answer comes.
        await vi.advanceTimersByTimeAsync(120)
      }
      sources.isReachable = true
      await vi.advanceTimersByTimeAsync(30_020)

      expect(client.getState().status).toBe('open')
      expect(page.isOnline).toBe(false)
      client.close()
    })

    test('open() asks, and is heard where the server can be reached', async () => {
      page.isOnline = false
      const client = createEventSourceClient({ url: 'http://localhost/events', transport })

      client.open()
      await vi.advanceTimersByTimeAsync(100)

      expect(client.getState().status).toBe('open')
      client.close()
    })

    test.each(['online', 'pageshow', 'visible', 'reconnect'])(
      'is asked for at once when there is reason to: %s',
      async (reason) => {
        const client = createEventSourceClient({ url: 'http://localhost/events', transport })
        client.open()
        await vi.advanceTimersByTimeAsync(5)
        happenings['offline']?.(client)
        expect(client.getState().status).toBe('paused')

        happenings[reason]?.(client)
        await vi.advanceTimersByTimeAsync(100)

        expect(client.getState().status).toBe('open')
        client.close()
      },
    )

    test('a page that is away asks nothing', async () => {
      const client = createEventSourceClient({ url: 'http://localhost/events', transport })
      client.open()
      await vi.advanceTimersByTimeAsync(5)
      happenings['offline']?.(client)
      dispatchEvent(new Event('pagehide'))

      await vi.advanceTimersByTimeAsync(600_000)

      expect(client.getState().status).toBe('paused')
      expect(sources.all).toHaveLength(1)
      client.close()
    })
  })
})
