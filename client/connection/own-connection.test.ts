// @vitest-environment jsdom
/** One connection: when it counts as dead, and which events it has brought before. */
import { describe, expect, test, vi } from 'vitest'
import { createEventSourceClient } from '@/client/event-source-client'
import { newest, installModelPage, settle } from '@/test/doubles/model-page'
import { sources } from '@/test/doubles/model-source'
import { transports } from '@/test/doubles/transports'

describe.each(transports)('a connection of its own by $by', ({ transport }) => {
  installModelPage(transport)

  test('a stream that falls silent is taken up again; pings keep it', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    const errors: string[] = []
    client.onError(({ kind }) => errors.push(kind))
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    for (let n = 0; n < 8; n++) {
      await vi.advanceTimersByTimeAsync(15_000)
      newest()?.ping()
    }
    expect(sources.all).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(100)
    expect(client.getState().lastSeenAt).toBe(Date.now() - 100)

    await vi.advanceTimersByTimeAsync(40_000)

    expect(errors).toEqual(['silent'])
    expect(client.getState().status).toBe('open')
    expect(sources.all).toHaveLength(2)
    client.close()
  })

  test('a timer that comes late is no proof of silence: what waits behind it is heard first', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    client.open()
    await vi.advanceTimersByTimeAsync(100)

    // The page sleeps for an hour: no timer runs, and what arrived waits.
    vi.setSystemTime(Date.now() + 3_600_000)
    await vi.advanceTimersByTimeAsync(37_500)
    newest()?.ping()
    await vi.advanceTimersByTimeAsync(10_000)

    expect(client.getState().status).toBe('open')
    expect(sources.all).toHaveLength(1)
    client.close()
  })

  test('an attempt that gets no answer in time has failed', async () => {
    vi.stubGlobal(
      'EventSource',
      class extends EventTarget {
        close(): void {}
      },
    )
    if (transport) vi.stubGlobal('fetch', () => new Promise(() => {}))
    const client = createEventSourceClient({
      url: 'http://localhost/',
      transport,
      connectTimeoutMs: 3_000,
    })
    client.open()

    await vi.advanceTimersByTimeAsync(3_000)

    expect(client.getState()).toMatchObject({
      status: 'reconnecting',
      error: { kind: 'unreachable' },
    })
    client.close()
  })

  test('an event that came before on the same connection is dropped, whatever its epoch; after a resync offsets may come again', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    const delivered: string[] = []
    client.onEvent(({ id }) => delivered.push(id))
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    const tell = (...ids: string[]): void => {
      for (const lastEventId of ids) {
        newest()?.dispatchEvent(new MessageEvent('message', { data: '', lastEventId }))
      }
    }

    tell('aaaa.99', 'aaaa.100', 'aaaa.100', 'cccc.101', 'cccc.101', 'aaaa.100', 'cccc.150')
    const gap = '{"reason":"epoch","from":"cccc.150","oldest":null,"topics":[]}'
    newest()?.dispatchEvent(new MessageEvent('resync', { data: gap, lastEventId: 'bbbb.100' }))
    tell('bbbb.100', 'bbbb.101')
    await settle()

    expect(delivered).toEqual(['aaaa.99', 'aaaa.100', 'cccc.101', 'cccc.150', 'bbbb.101'])
    client.close()
  })

  test('an event of an earlier connection is never taken for repeated on the next', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    const delivered: string[] = []
    client.onEvent(({ id }) => delivered.push(id))
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    newest()?.dispatchEvent(new MessageEvent('message', { data: '', lastEventId: 'aaaa.9' }))
    newest()?.lose()
    await vi.advanceTimersByTimeAsync(1_010)

    // Of a server that says nothing of its own.
    newest()?.dispatchEvent(new Event('open'))
    newest()?.dispatchEvent(new MessageEvent('message', { data: '', lastEventId: 'aaaa.9' }))
    await settle()

    expect(delivered).toEqual(['aaaa.9', 'aaaa.9'])
    client.close()
  })

  test
    .skipIf(transport)
    .each(['open', 'error', 'message', 'connected', 'ping', 'reconnect', 'end'])(
    'a source that was closed and comes alive again closes itself when it speaks: %s',
    async (type) => {
      const client = createEventSourceClient({ url: 'http://localhost/events', transport })
      const delivered: string[] = []
      client.onEvent(({ data }) => delivered.push(data))
      client.open()
      await vi.advanceTimersByTimeAsync(100)
      dispatchEvent(new Event('pagehide'))
      dispatchEvent(new Event('pageshow'))
      await vi.advanceTimersByTimeAsync(100)
      const [stale, current] = sources.all
      if (!stale) throw new Error('There is no source.')

      // WebKit does this to one that was closed in `pagehide`, when the reader comes back.
      stale.readyState = 1
      const isOwn = type === 'open' || type === 'error'
      stale.dispatchEvent(isOwn ? new Event(type) : new MessageEvent(type, { data: '{}' }))

      expect(stale.readyState).toBe(2)
      expect(current?.readyState).toBe(1)
      expect(client.getState().status).toBe('open')
      expect(delivered).toEqual([])
      client.close()
    },
  )

  test('ids that are not of our grammar, or without order, are never taken for repeated', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    const delivered: string[] = []
    client.onEvent(({ data }) => delivered.push(data))
    client.open()
    await vi.advanceTimersByTimeAsync(5)
    const source = newest()
    source?.dispatchEvent(new Event('open'))

    for (const [index, lastEventId] of ['abcd.9', 'abcd.3', 'abcd.3', '', '7', '7'].entries()) {
      source?.dispatchEvent(new MessageEvent('message', { data: `${index}`, lastEventId }))
    }
    await settle()

    expect(delivered).toEqual(['0', '1', '2', '3', '4', '5'])
    client.close()
  })
})
