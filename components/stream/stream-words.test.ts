// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readerChanged } from '@/client/stream-error'
import { createEventSourceClient } from '@/client/event-source-client'
import type { StreamState } from '@/client/stream-state'
import { phaseOf } from './phase'
import type { Stream } from './stream'
import { streamWords } from './stream-words'

function stream(change: Partial<StreamState>): Stream {
  const act = (): void => {}
  return {
    ...createEventSourceClient({ url: '' }).getInitialState(),
    open: act,
    close: act,
    clear: act,
    reconnect: act,
    ...change,
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('what a page says of its stream', () => {
  test('when another account has signed in: says so', () => {
    const words = streamWords(stream({ status: 'failed', error: readerChanged }), 'topic')

    expect(words).toMatchObject({
      word: 'Refused',
      why: 'another account',
      sentence: 'You are now signed in with a different account.',
      title: 'You are now signed in with a different account',
    })
  })

  test('when it moves to another server: does not mention a loss', () => {
    const moving = stream({
      status: 'reconnecting',
      error: { kind: 'asked', message: '' },
      lastEventId: 'abcd.7',
      retryAt: Date.now(),
    })

    expect(streamWords(moving, 'topic')).toMatchObject({ word: 'Connecting' })
    expect(phaseOf({ ...moving, attempt: 1 })).toBe('reconnecting')
  })

  test('without a network: paused, also during an attempt', () => {
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)

    for (const status of ['paused', 'connecting'] as const) {
      expect(streamWords(stream({ status, attempt: 1 }), 'topic')).toMatchObject({
        word: 'Paused',
        why: 'offline',
      })
    }
  })
})
