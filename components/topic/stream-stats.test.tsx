// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TopicEvent, UseTopics } from 'next-sse/react'
import { createEventSourceClient } from '@/client/event-source-client'
import { createStreamMeter } from './stream-meter'
import { StreamStats } from './stream-stats'

const nothing = (): void => {}
const idle: UseTopics = {
  ...createEventSourceClient({ url: '' }).getInitialState(),
  events: [],
  open: nothing,
  close: nothing,
  clear: nothing,
  reconnect: nothing,
}

function open(change: Partial<UseTopics> = {}): UseTopics {
  return { ...idle, status: 'open', openedAt: start, clockOffsetMs: 0, ...change }
}

const start = 1_767_621_801_000

function event(delayMs: number): TopicEvent {
  const now = Date.now()
  return {
    seq: 1,
    topic: 'orders',
    type: 'message',
    data: '',
    id: '',
    time: now - delayMs,
    receivedAt: now,
  }
}

function pass(ms: number): void {
  act(() => {
    vi.advanceTimersByTime(ms)
  })
}

/** The figures that are shown, by their terms. */
function figures(): Record<string, string | null | undefined> {
  const terms = screen.getAllByRole('term')
  return Object.fromEntries(
    terms.map((term) => [term.textContent, term.nextElementSibling?.textContent]),
  )
}

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

describe('StreamStats', () => {
  test('shows a dash for every unknown figure', () => {
    render(<StreamStats stream={idle} meter={createStreamMeter()} />)
    pass(3_000)

    expect(figures()).toEqual({
      'Events / s': '– peak –',
      'Delay to screen': '– ms worst –',
      Received: '–',
      'Open for': '–',
    })
    expect(screen.getByRole('img').getAttribute('aria-label')).toBe(
      'Events a second in the last minute: unknown in the last second, at most unknown, unknown for 60 s',
    )
  })

  test('a server renders the same', () => {
    const html = renderToString(<StreamStats stream={idle} meter={createStreamMeter()} />)

    expect(html).toContain('peak <!-- -->–')
  })

  test('shows the events of the last second, their delay, and how long the stream has been open', () => {
    const meter = createStreamMeter()
    const { rerender } = render(<StreamStats stream={open()} meter={meter} />)
    pass(724_500)
    for (let n = 0; n < 1_204; n++) meter.count(event(63))
    rerender(<StreamStats stream={open({ received: 12_408 })} meter={meter} />)
    pass(600)

    expect(figures()).toEqual({
      'Events / s': '1,204 peak 1,204',
      'Delay to screen': '63 ms worst 63',
      Received: '12,408',
      'Open for': '12:05',
    })

    pass(3_600_000)
    expect(figures()).toMatchObject({ 'Events / s': '0 peak 0', 'Open for': '1:12:05' })
  })

  test('renders once a second, however often the stream changes', async () => {
    const meter = createStreamMeter()
    const { container, rerender } = render(<StreamStats stream={open()} meter={meter} />)
    pass(1_100)
    const changes: MutationRecord[] = []
    const observer = new MutationObserver((records) => changes.push(...records))
    observer.observe(container, { subtree: true, childList: true, characterData: true })

    for (let received = 1; received <= 500; received++) {
      meter.count(event(5))
      rerender(<StreamStats stream={open({ received })} meter={meter} />)
    }
    await Promise.resolve()

    expect(changes).toEqual([])
    pass(1_000)
    expect(figures()).toMatchObject({ 'Events / s': '500 peak 500', Received: '500' })
    observer.disconnect()
  })

  test('seconds without a connection are dots, quiet ones are low bars', () => {
    const meter = createStreamMeter()
    const { container, rerender } = render(<StreamStats stream={open()} meter={meter} />)
    pass(60_000)
    rerender(<StreamStats stream={open({ status: 'reconnecting' })} meter={meter} />)
    pass(9_100)

    const [bars, newest, dots] = [...container.querySelectorAll('path')].map(
      (path) => path.getAttribute('d') ?? '',
    )
    expect(bars?.match(/v-1\.5/g)).toHaveLength(51)
    expect(newest).toBe('')
    expect(dots?.match(/M/g)).toHaveLength(9)
    expect(figures()).toMatchObject({ 'Events / s': '– peak 0' })

    rerender(<StreamStats stream={open()} meter={meter} />)
    pass(2_000)
    expect(figures()).toMatchObject({ 'Open for': '1:11 1 reconnect' })
  })
})
