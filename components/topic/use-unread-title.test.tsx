// @vitest-environment jsdom
import { cleanup, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { useUnreadTitle } from './use-unread-title'

let isHidden = false

function show(hidden: boolean): void {
  isHidden = hidden
  document.dispatchEvent(new Event('visibilitychange'))
}

function renderTitle() {
  return renderHook(() => useUnreadTitle(), { reactStrictMode: true })
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => isHidden)
  isHidden = false
  document.title = 'orders · next-sse'
})

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('useUnreadTitle', () => {
  test('counts only while the page is hidden', () => {
    const { result } = renderTitle()

    result.current()
    expect(document.title).toBe('orders · next-sse')

    show(true)
    expect(document.title).toBe('orders · next-sse')
    result.current()
    expect(document.title).toBe('(1) orders · next-sse')
  })

  test('updates the title once a second, however many events come', () => {
    const { result } = renderTitle()
    show(true)

    for (let n = 0; n < 12; n++) result.current()
    expect(document.title).toBe('(1) orders · next-sse')
    vi.advanceTimersByTime(1_000)

    expect(document.title).toBe('(12) orders · next-sse')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('counts up to 9,999+', () => {
    const { result } = renderTitle()
    show(true)

    for (let n = 0; n < 10_000; n++) result.current()
    vi.advanceTimersByTime(1_000)

    expect(document.title).toBe('(9,999+) orders · next-sse')
  })

  test('shows the plain title when the page is visible again, and starts at one the next time', () => {
    const { result } = renderTitle()
    show(true)
    result.current()
    result.current()

    show(false)
    expect(document.title).toBe('orders · next-sse')
    vi.advanceTimersByTime(1_000)
    expect(document.title).toBe('orders · next-sse')

    show(true)
    result.current()
    expect(document.title).toBe('(1) orders · next-sse')
  })

  test('restores the title when it unmounts', () => {
    const { result, unmount } = renderTitle()
    show(true)
    result.current()
    result.current()

    unmount()

    expect(document.title).toBe('orders · next-sse')
    expect(vi.getTimerCount()).toBe(0)
  })
})
