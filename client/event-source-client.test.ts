// @vitest-environment jsdom
/** The client as a model: whatever happens to it, in whatever order. Real sockets are in hooks/ and e2e. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createEventSourceClient } from './event-source-client'
import { happenings, page, installModelPage } from '@/test/doubles/model-page'
import { sources } from '@/test/doubles/model-source'
import { transports } from '@/test/doubles/transports'

/** Time passes and events come more often than anything else happens. */
const happening = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('open', 'a moment', 'a second', 'publish', 'repeat') },
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(happenings)) },
)

describe.each(transports)('createEventSourceClient by $by', ({ transport }) => {
  installModelPage(transport)

  test('whatever happens: one EventSource at most, closed stays closed, nothing twice, nothing lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 30, maxLength: 80, size: 'max' }),
        async (plan) => {
          sources.reset()
          page.isOnline = true
          const client = createEventSourceClient({ url: 'http://localhost/events', transport })
          const delivered: number[] = []
          client.onEvent(({ data }) => delivered.push(Number(data.split(' ')[1])))

          for (const name of plan) {
            const before = client.getState().status
            happenings[name]?.(client)
            await vi.advanceTimersByTimeAsync(0)
            const { status } = client.getState()

            expect(sources.open().length).toBeLessThanOrEqual(1)
            const wasOver = before === 'closed' || before === 'failed'
            expect(wasOver && status !== before && name !== 'open' && name !== 'disable').toBe(
              false,
            )
            const isOver = status === 'closed' || status === 'failed' || status === 'idle'
            expect(isOver && sources.open().length > 0).toBe(false)
          }

          sources.isReachable = true
          page.isOnline = true
          client.open()
          dispatchEvent(new Event('online'))
          sources.publish()
          await vi.advanceTimersByTimeAsync(120_000)
          expect(delivered).toEqual(Array.from({ length: sources.log }, (_, index) => index + 1))

          client.close()
          const made = sources.all.length
          for (const name of [
            'online',
            'pageshow',
            'visible',
            'reconnect',
            'lose',
            'stale error',
          ]) {
            happenings[name]?.(client)
          }
          await vi.advanceTimersByTimeAsync(600_000)
          expect(sources.all).toHaveLength(made)
          expect(client.getState().status).toBe('closed')
          expect(vi.getTimerCount()).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  }, 60_000)

  test('the list is renewed in the next frame, some thirty times a second, and not at all while the page is hidden', async () => {
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    client.open()
    await vi.advanceTimersByTimeAsync(100)
    const heard = vi.fn<() => void>()
    client.subscribe(heard)

    for (let n = 0; n < 500; n++) sources.publish()
    expect(heard).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(20)
    expect(heard).toHaveBeenCalledOnce()
    expect(client.getState().events).toHaveLength(500)

    for (let ms = 0; ms < 1_000; ms += 5) {
      sources.publish()
      await vi.advanceTimersByTimeAsync(5)
    }
    expect(heard.mock.calls.length).toBeGreaterThan(25)
    expect(heard.mock.calls.length).toBeLessThanOrEqual(34)
    await vi.advanceTimersByTimeAsync(50)
    heard.mockClear()

    // A browser gives a hidden page no frames.
    const frames = vi.spyOn(globalThis, 'requestAnimationFrame').mockReturnValue(1)
    for (let n = 0; n < 500; n++) sources.publish()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(heard).not.toHaveBeenCalled()
    frames.mockRestore()
    client.close()
    expect(client.getState().received).toBe(1_200)
  })

  test('close leaves no timer, no EventSource and no listener, whatever the stream was doing', async () => {
    const listen = vi.spyOn(window, 'addEventListener')
    const client = createEventSourceClient({ url: 'http://localhost/events', transport })
    const doings = [
      'a moment',
      'a second',
      'lose',
      'refuse',
      'offline',
      'pagehide',
      'unreachable',
      'online',
    ]
    for (const doing of doings) {
      client.open()
      await vi.advanceTimersByTimeAsync(doing === 'a moment' ? 0 : 100)
      happenings[doing]?.(client)
      await vi.advanceTimersByTimeAsync(0)

      client.close()

      expect(client.getState().status).toBe('closed')
      expect(sources.open()).toEqual([])
    }
    await vi.advanceTimersByTimeAsync(20)
    expect(vi.getTimerCount()).toBe(0)
    expect(listen).toHaveBeenCalled()
    for (const [, , options] of listen.mock.calls) {
      expect(options).toMatchObject({ signal: { aborted: true } })
    }
  })
})
