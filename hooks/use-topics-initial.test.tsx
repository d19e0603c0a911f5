// @vitest-environment jsdom
/** A page that was rendered with events, from its first render on. */
import { act, cleanup, render, renderHook, screen } from '@testing-library/react'
import { Activity, StrictMode, type ReactNode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { StreamError } from '@/client/stream-error'
import type { Gap } from '@/protocol/gap'
import { encodePreloaded, type Preloaded, type PreloadedRefusal } from '@/protocol/preloaded'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'
import { useTopics, type TopicEvent, type UseTopicsOptions } from './use-topics'

installHookOrigin()

const anna = 'annaannaannaanna'
const bert = 'bertbertbertbert'

function eventAt(offset: number) {
  return { id: `test.${offset}`, topic: 'orders', type: 'paid', data: `${offset}`, time: offset }
}

interface Given {
  reader?: string
  topics?: string[]
  path?: string
  gap?: Gap
}

/** What the server has preloaded: events with these offsets. */
function preloaded(offsets: number[], given: Given = {}): Preloaded {
  const { reader = anna, topics = ['orders'], path = '/events', gap } = given
  const events = offsets.map((offset) => eventAt(offset))
  const answer = { reader, events, cursor: `test.${offsets.at(-1) ?? 0}`, gap }
  return encodePreloaded({ topics, path, time: 1_000, answer })
}

function refused(answer: PreloadedRefusal): Preloaded {
  return encodePreloaded({ topics: ['orders'], path: '/events', time: 1_000, answer })
}

const notGranted = { status: 403, code: 'not-granted', detail: 'Not for you.' }

function frame(offset: number): string {
  const { id, ...envelope } = eventAt(offset)
  return `id: ${id}\ndata: ${JSON.stringify(envelope)}\n\n`
}

function connected(offset: number, reader = anna): string {
  const told = { heartbeatMs: 15_000, time: Date.now(), reader }
  return `event: connected\nid: test.${offset}\ndata: ${JSON.stringify(told)}\n\n`
}

type Props = UseTopicsOptions & { topics?: string[] }

function renderTopics(props: Props) {
  return renderHook(
    ({ topics = ['orders'], ...options }: Props) =>
      useTopics(topics, { path: origin.url, ...options }),
    { initialProps: props, reactStrictMode: true },
  )
}

function offsetsOf({ events }: { events: readonly TopicEvent[] }): number[] {
  return events.map(({ data }) => Number(data))
}

function List(options: UseTopicsOptions): ReactNode {
  const { events, status } = useTopics(['orders'], { path: origin.url, ...options })
  return (
    <>
      <p>{status}</p>
      <ol>
        {events.map(({ seq, id, data, receivedAt }) => (
          <li key={seq}>{`${seq} ${id} ${data} ${receivedAt}`}</li>
        ))}
      </ol>
    </>
  )
}

function items(): (string | null)[] {
  return screen.queryAllByRole('listitem').map(({ textContent }) => textContent)
}

const urls = (): string[] => origin.requests.map(({ url }) => url)

afterEach(() => {
  vi.restoreAllMocks()
})

describe('useTopics with initial', () => {
  test('tells of what the server no longer had from the first render on, as of a loss before the first event', async () => {
    const gap: Gap = { reason: 'trimmed', from: 'test.1', oldest: 'test.5', topics: ['orders'] }
    const onGap = vi.fn<(gap: Gap) => void>()
    origin.answer = stream(connected(5), frame(6))
    const { result } = renderTopics({ initial: preloaded([5], { gap }), onGap })
    expect(result.current.gaps).toEqual([{ ...gap, beforeSeq: 1 }])

    await until(() => expect(offsetsOf(result.current)).toEqual([5, 6]))

    expect(result.current.gaps).toEqual([{ ...gap, beforeSeq: 1 }])
    expect(onGap).not.toHaveBeenCalled()
    act(() => result.current.clear())
    expect(result.current.gaps).toEqual([])
  })

  test('has the events in the HTML of a server, and hydrates it without a difference', async () => {
    const initial = preloaded([1, 2])
    const complaint = vi.spyOn(console, 'error').mockReturnValue()
    const html = renderToString(<List initial={initial} />)
    expect(html).toContain('<p>idle</p>')
    expect(html).toContain('<li>1 test.1 1 1000</li><li>2 test.2 2 1000</li>')
    const container = document.body.appendChild(document.createElement('div'))
    container.innerHTML = html
    origin.answer = stream(connected(2), frame(3))

    const onRecoverableError = vi.fn<(error: unknown) => void>()
    const page = (
      <StrictMode>
        <List initial={initial} />
      </StrictMode>
    )
    const root = await act(async () => hydrateRoot(container, page, { onRecoverableError }))
    await until(() => expect(items()).toHaveLength(3))

    expect(items().slice(0, 2)).toEqual(['1 test.1 1 1000', '2 test.2 2 1000'])
    expect(onRecoverableError).not.toHaveBeenCalled()
    expect(complaint).not.toHaveBeenCalled()
    act(() => root.unmount())
    container.remove()
  })

  test('goes on after the last of them, as their reader, with one request', async () => {
    origin.answer = stream(connected(2), frame(3))
    const onEvent = vi.fn<(event: TopicEvent) => void>()

    const { result } = renderTopics({ initial: preloaded([1, 2]), last: 20, onEvent })
    expect(offsetsOf(result.current)).toEqual([1, 2])
    expect(result.current).toMatchObject({ lastEventId: 'test.2', reader: anna, received: 0 })
    await until(() => expect(offsetsOf(result.current)).toEqual([1, 2, 3]))

    expect(urls()).toEqual([`/events/orders?envelope=1&last=20&lastEventId=test.2&reader=${anna}`])
    expect(onEvent.mock.calls.map(([{ data }]) => data)).toEqual(['3'])
    expect(result.current.events.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(result.current.received).toBe(1)
  })

  test('of no events has the place alone', async () => {
    const { result } = renderTopics({ initial: preloaded([]) })
    await until(() => expect(result.current.status).toBe('open'))

    expect(urls()).toEqual([`/events/orders?envelope=1&lastEventId=test.0&reader=${anna}`])
  })

  test('begins once: a later one is ignored, a lost one too', async () => {
    origin.answer = stream(connected(2), frame(3))
    const { result, rerender } = renderTopics({ initial: preloaded([1, 2]) })
    await until(() => expect(offsetsOf(result.current)).toEqual([1, 2, 3]))
    const { events } = result.current

    rerender({ initial: preloaded([2, 3, 4]) })
    rerender({})

    expect(result.current.events).toBe(events)
    expect(urls()).toHaveLength(1)
  })

  test('of another reader begins again with that reader’s events alone', async () => {
    const { result, rerender } = renderTopics({ initial: preloaded([1, 2]) })
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ initial: preloaded([7], { reader: bert }) })
    expect(offsetsOf(result.current)).toEqual([7])
    await until(() => expect(urls()).toHaveLength(2))

    await origin.requests[0]?.closed
    expect(urls()[1]).toContain(`lastEventId=test.7&reader=${bert}`)
  })

  test('comes late: the list begins with it then', async () => {
    origin.answer = stream(connected(2), frame(3))
    const { result, rerender } = renderTopics({})
    await until(() => expect(offsetsOf(result.current)).toEqual([3]))

    rerender({ initial: preloaded([1, 2]) })

    await until(() => expect(offsetsOf(result.current)).toEqual([1, 2, 3]))
  })

  test('clear empties the list for good', async () => {
    const { result, rerender } = renderTopics({ initial: preloaded([1, 2]) })
    await until(() => expect(result.current.status).toBe('open'))

    act(() => result.current.clear())
    rerender({ initial: preloaded([1, 2, 3]) })
    act(() => result.current.close())
    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('open'))

    expect(result.current.events).toEqual([])
    expect(urls()[1]).toContain('lastEventId=test.2')
  })

  test('a component that is mounted again starts over; one that was hidden goes on', async () => {
    origin.answer = stream(connected(2), frame(3))
    const page = (initial: Preloaded, mode: 'visible' | 'hidden', key: string): ReactNode => (
      <Activity mode={mode}>
        <List key={key} initial={initial} />
      </Activity>
    )
    const { rerender } = render(page(preloaded([1, 2]), 'visible', 'a'))
    await until(() => expect(items()).toHaveLength(3))

    rerender(page(preloaded([1, 2]), 'hidden', 'a'))
    await origin.requests[0]?.closed
    origin.answer = stream(connected(3), frame(4))
    rerender(page(preloaded([7]), 'visible', 'a'))
    await until(() => expect(items()).toHaveLength(4))
    expect(urls()[1]).toContain('lastEventId=test.3')

    rerender(page(preloaded([7]), 'visible', 'b'))
    expect(items()).toEqual(['1 test.7 7 1000'])
    await until(() => expect(urls()[2]).toContain('lastEventId=test.7'))
    cleanup()
  })

  test('of 2,500 events shows the newest 1,000', () => {
    const offsets = Array.from({ length: 2_500 }, (_, n) => n + 1)
    const { result } = renderTopics({ initial: preloaded(offsets) })

    expect(offsetsOf(result.current)).toEqual(offsets.slice(1_500))
    expect(result.current.dropped).toBe(1_500)
  })

  test('from before a restored log, or beyond what is kept: marks the gap, and goes on', async () => {
    const gap = { reason: 'epoch', from: 'test.2', oldest: 'next.1', topics: ['orders'] }
    const resync = `event: resync\nid: next.0\ndata: ${JSON.stringify(gap)}\n\n`
    const after = `id: next.1\ndata: ${JSON.stringify({ ...eventAt(1), data: '3' })}\n\n`
    origin.answer = stream(connected(2), resync, after)

    const { result } = renderTopics({ initial: preloaded([1, 2]) })
    await until(() => expect(offsetsOf(result.current)).toEqual([1, 2, 3]))

    expect(result.current.gaps).toEqual([{ ...gap, beforeSeq: 3 }])
  })

  test('since asks for the events of that time, where there is no initial', async () => {
    const { result } = renderTopics({ since: '1.5h' })
    await until(() => expect(result.current.status).toBe('open'))

    expect(urls()).toEqual(['/events/orders?envelope=1&since=1.5h'])
  })
})

describe('an initial that does not fit', () => {
  test.each([
    ['other topics', preloaded([1], { topics: ['stock'] })],
    ['more topics', preloaded([1], { topics: ['orders', 'stock'] })],
    ['another path', preloaded([1], { path: '/live' })],
    ['another version', 'what is this' as Preloaded],
  ])('%s: throws in development, and is ignored in production', async (_, initial) => {
    vi.spyOn(console, 'error').mockReturnValue()
    expect(() => renderTopics({ initial })).toThrow(
      /^useTopics\(\["orders"\]\) at .*: `initial` is from/,
    )

    vi.stubEnv('NODE_ENV', 'production')
    const { result } = renderTopics({ initial })
    expect(result.current.events).toEqual([])
    await until(() => expect(result.current.status).toBe('open'))
    vi.unstubAllEnvs()

    expect(urls()).toEqual(['/events/orders?envelope=1'])
  })

  test('the same topics in another order fit', () => {
    const initial = preloaded([1], { topics: ['stock', 'orders'] })

    expect(
      offsetsOf(renderTopics({ topics: ['orders', 'stock'], initial }).result.current),
    ).toEqual([1])
  })

  test('a page that changes its topics begins without it, and with it when it changes them back', async () => {
    const initial = preloaded([1, 2])
    const { result, rerender } = renderTopics({ initial })

    rerender({ initial, topics: ['orders', 'stock'] })
    expect(result.current.events).toEqual([])
    await until(() => expect(urls().at(-1)).toBe('/events/orders,stock?envelope=1'))
    rerender({ initial: preloaded([1, 2, 3]), topics: ['orders', 'stock'] })
    expect(result.current.events).toEqual([])

    rerender({ initial: preloaded([1, 2, 3]) })
    expect(offsetsOf(result.current)).toEqual([1, 2, 3])
    await until(() => expect(urls().at(-1)).toContain('lastEventId=test.3'))
  })
})

describe('an initial that says that the server refused', () => {
  test('is a failed stream from the first render on, in the HTML too, and asks nothing', async () => {
    const initial = refused(notGranted)
    expect(renderToString(<List initial={initial} />)).toContain('<p>failed</p>')
    const onError = vi.fn<(error: StreamError) => void>()

    const { result, unmount } = renderTopics({ initial, onError })
    expect(result.current).toMatchObject({
      status: 'failed',
      error: { kind: 'refused', status: 403, code: 'not-granted', message: 'Not for you.' },
    })
    await act(async () => {})
    unmount()

    expect(onError).not.toHaveBeenCalled()
    expect(urls()).toEqual([])
  })

  test('open asks all the same, and the unmount closes what it opened', async () => {
    const { result, unmount } = renderTopics({ initial: refused(notGranted) })

    act(() => result.current.open())
    await until(() => expect(result.current.status).toBe('open'))
    unmount()

    await origin.requests[0]?.closed
    expect(urls()).toEqual(['/events/orders?envelope=1'])
  })

  test('gives way to one that was granted, and takes its place', async () => {
    const { result, rerender } = renderTopics({ initial: refused(notGranted) })

    rerender({ initial: preloaded([1]) })
    expect(offsetsOf(result.current)).toEqual([1])
    await until(() => expect(result.current.status).toBe('open'))

    rerender({ initial: refused({ ...notGranted, code: 'token-required' }) })
    expect(result.current).toMatchObject({ status: 'failed', events: [] })
    await origin.requests[0]?.closed
    expect(urls()).toHaveLength(1)
  })
})

describe('an initial of an older reader', () => {
  test('is emptied when the server says that another reads now, and nothing follows before open', async () => {
    const conflict = JSON.stringify({ code: 'reader-changed', detail: 'Another reader.' })
    origin.answer = (_, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end(conflict)
    }
    const { result } = renderTopics({ initial: preloaded([1, 2]) })

    await until(() => expect(result.current.status).toBe('failed'))
    expect(result.current).toMatchObject({ error: { kind: 'reader' }, events: [], lastEventId: '' })

    origin.answer = stream(connected(6, bert), frame(7))
    act(() => result.current.open())
    await until(() => expect(offsetsOf(result.current)).toEqual([7]))
    expect(urls().at(-1)).toBe('/events/orders?envelope=1')
  })
})
