// @vitest-environment jsdom
import { act, render, renderHook, screen } from '@testing-library/react'
import { Activity, StrictMode, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { encodePreloaded, type Preloaded } from '@/protocol/preloaded'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'
import { useRun, type UseRunOptions } from './use-run'

installHookOrigin()

let offset = 0

function envelope(type: string, data: unknown): string {
  const text = JSON.stringify(data)
  return `data: ${JSON.stringify({ topic: 'work', type, time: 1, data: text })}\nid: test.${++offset}\n\n`
}

function control(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

const connected = (): string =>
  `event: connected\ndata: {"heartbeatMs":15000,"time":1}\nid: test.${offset}\n\n`
const state = (run: string | null, status: string): string => control('run.state', { run, status })
const begin = (run: string): string => envelope('run.begin', { run })
const end = (run: string, status = 'done'): string => envelope('run.end', { run, status })

function preloaded(...events: [type: string, data: unknown][]): Preloaded {
  const all = events.map(([type, data], index) => ({
    id: `test.${index + 1}`,
    topic: 'work',
    type,
    data: JSON.stringify(data),
    time: 1,
  }))
  const answer = { reader: '47DEQpj8HBSa-_TI', events: all, cursor: `test.${all.length}` }
  return encodePreloaded({ topics: ['work'], path: '/events', time: 1, answer })
}

function renderRun(options: UseRunOptions = {}) {
  return renderHook(() => useRun<number>('work', { path: origin.url, ...options }), {
    reactStrictMode: true,
  })
}

/** Sends more on the stream that is open. */
function send(...frames: string[]): void {
  origin.requests.at(-1)?.response.write(frames.join(''))
}

test('follows a run from its beginning to its end, and then the next', async () => {
  origin.answer = stream(connected(), state('a', 'running'), begin('a'), envelope('n', 1))
  const { result } = renderRun()
  expect(result.current).toMatchObject({ id: undefined, status: 'unknown', events: [] })
  await until(() => expect(result.current).toMatchObject({ id: 'a', status: 'running' }))

  send(envelope('n', 2), end('a', 'stopped'))
  await until(() => expect(result.current.status).toBe('stopped'))
  const { events, latest } = result.current
  send(begin('b'), envelope('n', 3))
  await until(() => expect(result.current).toMatchObject({ id: 'b', latest: { data: 3 } }))

  expect(events.map(({ seq, data }) => [seq, data])).toEqual([
    [1, 1],
    [2, 2],
  ])
  expect(latest).toEqual({ seq: 2, type: 'n', data: 2, time: 1 })
  expect(origin.requests.map(({ url }) => url)).toEqual(['/events/work?envelope=1&since=run'])
})

test('where there is no run, it is unknown and does not wait', async () => {
  origin.answer = stream(connected(), state(null, 'unknown'))
  const { result } = renderRun()

  await until(() => expect(result.current.connection).toBe('open'))

  expect(result.current).toMatchObject({ status: 'unknown', id: undefined, events: [] })
})

test('a lost connection goes on after the last value, and hears how the run stands', async () => {
  origin.answer = stream(connected(), state('a', 'running'), begin('a'), envelope('n', 1))
  const { result } = renderRun()
  await until(() => expect(result.current.latest?.data).toBe(1))
  const last = offset

  origin.answer = stream(connected(), state('a', 'lost'), end('a', 'lost'))
  origin.requests[0]?.response.destroy()
  await until(() => expect(result.current.status).toBe('lost'))

  expect(origin.requests[1]?.url).toContain(`lastEventId=test.${last}`)
  expect(result.current.events.map(({ data }) => data)).toEqual([1])
})

test('a page is rendered with its run, and goes on after it', async () => {
  const initial = preloaded(
    ['run.state', { run: 'a', status: 'running' }],
    ['run.begin', { run: 'a' }],
    ['n', 1],
  )
  function Page(): ReactNode {
    const { status, events } = useRun('work', { path: origin.url, initial })
    return <p>{`${status} ${events.map(({ data }) => data).join()}`}</p>
  }
  const html = renderToString(<Page />)
  offset = 3
  origin.answer = stream(connected(), state('a', 'running'), envelope('n', 2), end('a'))

  render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
  await until(() => expect(screen.getByText('done 1,2')).toBeDefined())

  expect(html).toBe('<p>running 1</p>')
  expect(origin.requests[0]?.url).toContain('lastEventId=test.3')
})

test('a page hidden by Activity reads nothing, keeps its values, and goes on when it is shown', async () => {
  origin.answer = stream(connected(), state('a', 'running'), begin('a'), envelope('n', 1))
  function Page(): ReactNode {
    const { status, events } = useRun('work', { path: origin.url })
    return <p>{`${status} ${events.map(({ data }) => data).join()}`}</p>
  }
  const page = (mode: 'visible' | 'hidden'): ReactNode => (
    <Activity mode={mode}>
      <Page />
    </Activity>
  )
  const { rerender } = render(page('visible'))
  await until(() => expect(screen.getByText('running 1')).toBeDefined())

  rerender(page('hidden'))
  await act(async () => origin.requests[0]?.closed)
  origin.answer = stream(connected(), state('a', 'done'), envelope('n', 2), end('a'))
  rerender(page('visible'))

  await until(() => expect(screen.getByText('done 1,2')).toBeDefined())
})

test('stop asks the server to stop the run that is shown, and says whether it will', async () => {
  origin.answer = stream(connected(), state('a', 'running'), begin('a'))
  const { result } = renderRun()
  await until(() => expect(result.current.id).toBe('a'))
  const asked = vi.fn<(method: string, url: string) => void>()
  let status = 202
  origin.answer = (request, response) => {
    asked(request.method ?? '', request.url ?? '')
    response.writeHead(status, { 'Access-Control-Allow-Origin': '*' }).end()
  }

  const isStopping = await result.current.stop()
  status = 403
  const isRefused = await result.current.stop()

  expect(asked).toHaveBeenCalledWith('POST', '/events/work?run=a&op=stop')
  expect([isStopping, isRefused]).toEqual([true, false])
  expect(result.current.status).toBe('running')
})
