import { describe, expect, test } from 'vitest'
import { nextStatus, readyStateOf, type Signal, type Status } from './transitions'

const signals: Signal[] = [
  'open',
  'close',
  'disable',
  'opened',
  'lost',
  'refuse',
  'retry',
  'pause',
  'offline',
]

const ways: [Status, Partial<Record<Signal, Status>>][] = [
  ['idle', { open: 'connecting' }],
  [
    'connecting',
    {
      opened: 'open',
      lost: 'reconnecting',
      refuse: 'failed',
      pause: 'paused',
      offline: 'paused',
      close: 'closed',
      disable: 'idle',
    },
  ],
  [
    'open',
    {
      lost: 'reconnecting',
      refuse: 'failed',
      pause: 'paused',
      close: 'closed',
      disable: 'idle',
    },
  ],
  [
    'reconnecting',
    {
      retry: 'connecting',
      refuse: 'failed',
      pause: 'paused',
      offline: 'paused',
      close: 'closed',
      disable: 'idle',
    },
  ],
  [
    'paused',
    {
      retry: 'connecting',
      refuse: 'failed',
      pause: 'paused',
      close: 'closed',
      disable: 'idle',
    },
  ],
  ['closed', { open: 'connecting', disable: 'idle' }],
  ['failed', { open: 'connecting', disable: 'idle' }],
]

describe('nextStatus', () => {
  for (const [status, to] of ways) {
    test.each(signals)(`from ${status}, %s`, (signal) => {
      expect(nextStatus(status, signal)).toBe(to[signal])
    })
  }

  test.each<Status>(['closed', 'failed'])('%s is left only by open and disable', (status) => {
    expect(signals.filter((signal) => nextStatus(status, signal))).toEqual(['open', 'disable'])
  })
})

describe('readyStateOf', () => {
  test.each<[Status, number]>([
    ['idle', 2],
    ['connecting', 0],
    ['open', 1],
    ['reconnecting', 0],
    ['paused', 0],
    ['closed', 2],
    ['failed', 2],
  ])('%s is %d', (status, readyState) => {
    expect(readyStateOf(status)).toBe(readyState)
  })
})
