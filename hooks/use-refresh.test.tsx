// @vitest-environment jsdom
/** Parts of a page that are refreshed, by the libraries that pages use for it. The times are in client/refresh-schedule.test.ts. */
import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query'
import { act, render, renderHook, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import useSWR, { SWRConfig, useSWRConfig } from 'swr'
import { describe, expect, test, vi } from 'vitest'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'
import { useRefresh, type RefreshOptions } from './use-refresh'

installHookOrigin()

const connected = 'event: connected\nid: test.5\ndata: {"heartbeatMs":15000,"time":1}\n\n'

function frame(offset: number): string {
  return `id: test.${offset}\ndata: {}\n\n`
}

/** To the newest stream. */
function publish(offset: number): void {
  origin.requests.at(-1)?.response.write(frame(offset))
}

function renderRefresh(options: Pick<RefreshOptions, 'from'> = {}) {
  const refresh = vi.fn<() => void>()
  const rendered = renderHook(
    (more: Pick<RefreshOptions, 'from'>) =>
      useRefresh(['orders'], refresh, { path: origin.url, ...options, ...more }),
    { initialProps: {}, reactStrictMode: true },
  )
  const untilOpen = (): Promise<void> =>
    until(() => expect(rendered.result.current.status).toBe('open'))
  return { ...rendered, refresh, untilOpen }
}

/** For as long as anything would take that should not happen. */
async function wait(ms = 300): Promise<void> {
  await act(async () => {
    await new Promise((resolve) => setTimeout(resolve, ms))
  })
}

describe('useRefresh', () => {
  test('streams after its cursor, with one request, and refreshes when an event comes', async () => {
    origin.answer = stream(connected)
    const { refresh, untilOpen } = renderRefresh({ from: 'test.5' })
    await untilOpen()
    await wait()
    expect(refresh).not.toHaveBeenCalled()

    publish(6)
    await until(() => expect(refresh).toHaveBeenCalledOnce())

    expect(origin.requests.map(({ url }) => url)).toEqual([
      '/events/orders?envelope=1&lastEventId=test.5',
    ])
  })

  test('an event from between its cursor and its stream refreshes it, once for all that came together', async () => {
    origin.answer = stream(connected, frame(6), frame(7), frame(8))
    const { refresh } = renderRefresh({ from: 'test.5' })

    await until(() => expect(refresh).toHaveBeenCalledOnce())
    await wait(1_200)

    expect(refresh).toHaveBeenCalledOnce()
  })

  test('without a cursor it refreshes once when the stream is open, as anything may have happened before', async () => {
    origin.answer = stream(connected)
    const { refresh } = renderRefresh()

    await until(() => expect(refresh).toHaveBeenCalledOnce())
    await wait(1_200)

    expect(refresh).toHaveBeenCalledOnce()
  })

  test('events that may be lost refresh it', async () => {
    const gap = { reason: 'trimmed', from: 'test.5', oldest: 'test.9', topics: ['orders'] }
    origin.answer = stream(connected, `event: resync\nid: test.8\ndata: ${JSON.stringify(gap)}\n\n`)
    const { refresh } = renderRefresh({ from: 'test.5' })

    await until(() => expect(refresh).toHaveBeenCalledOnce())
  })

  test('after the server was lost, what was missed refreshes it at a random moment; nothing missed, nothing refreshed', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.1)
    origin.answer = stream(connected)
    const { refresh, untilOpen } = renderRefresh({ from: 'test.5' })
    await untilOpen()
    origin.requests[0]?.response.destroy()
    await until(() => expect(origin.requests).toHaveLength(2))
    await untilOpen()
    await wait(1_200)
    expect(refresh).not.toHaveBeenCalled()

    origin.answer = stream(connected, frame(6))
    origin.requests[1]?.response.destroy()
    await until(() => expect(origin.requests).toHaveLength(3))
    const openedAt = performance.now()
    await until(() => expect(refresh).toHaveBeenCalledOnce())

    expect(performance.now() - openedAt).toBeGreaterThan(450)
    random.mockRestore()
  })

  test('calls its newest function, and a new cursor keeps the stream', async () => {
    origin.answer = stream(connected)
    const { refresh, rerender, untilOpen } = renderRefresh({ from: 'test.5' })
    await untilOpen()

    rerender({ from: 'test.6' })
    publish(7)
    await until(() => expect(refresh).toHaveBeenCalledOnce())

    expect(origin.requests).toHaveLength(1)
  })

  test('tells how its stream stands, and refreshes nothing when it was refused', async () => {
    origin.answer = (_, response) => response.writeHead(403).end()
    const { refresh, result } = renderRefresh()

    await until(() => expect(result.current.status).toBe('failed'))

    expect(result.current.error).toMatchObject({ kind: 'refused', status: 403 })
    await wait()
    expect(refresh).not.toHaveBeenCalled()
  })

  test('unmounted, it leaves no stream, and refreshes no more', async () => {
    origin.answer = stream(connected)
    const { refresh, unmount, untilOpen } = renderRefresh({ from: 'test.5' })
    await untilOpen()

    publish(6)
    unmount()
    await origin.requests[0]?.closed
    await wait()

    expect(refresh).not.toHaveBeenCalled()
  })
})

/** What the app's database has, and how long it takes to read. */
const database = { orders: 0 }
const readMs = 700

async function readOrders(): Promise<number> {
  const { orders } = database
  await new Promise((resolve) => setTimeout(resolve, readMs))
  return orders
}

function WithQuery(): ReactNode {
  const queryClient = useQueryClient()
  const { data } = useQuery({ queryKey: ['orders'], queryFn: readOrders })
  useRefresh(['orders'], () => queryClient.invalidateQueries({ queryKey: ['orders'] }), {
    path: origin.url,
  })
  return <output>{data}</output>
}

function WithSwr(): ReactNode {
  const { mutate } = useSWRConfig()
  const { data } = useSWR('orders', readOrders)
  useRefresh(['orders'], () => mutate('orders'), { path: origin.url })
  return <output>{data}</output>
}

const libraries = {
  'TanStack Query': (
    <QueryClientProvider client={new QueryClient()}>
      <WithQuery />
    </QueryClientProvider>
  ),
  SWR: (
    <SWRConfig value={{ provider: () => new Map() }}>
      <WithSwr />
    </SWRConfig>
  ),
}

describe.each(Object.entries(libraries))('useRefresh with %s', (_, page) => {
  test('a query that is slower than the events shows news at each refresh, and the last within one', async () => {
    database.orders = 1
    origin.answer = stream(connected)
    render(page)
    await until(() => expect(screen.getByRole('status').textContent).toBe('1'))
    const shown = new Set<string>()

    for (let offset = 6; offset < 26; offset++) {
      database.orders++
      publish(offset)
      await wait(200)
      shown.add(screen.getByRole('status').textContent)
    }
    await wait(1_000 + readMs)

    expect(screen.getByRole('status').textContent).toBe(String(database.orders))
    // Four seconds, with a refresh in each.
    expect(shown.size).toBeGreaterThanOrEqual(3)
  }, 20_000)
})
