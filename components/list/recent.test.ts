import { expect, test } from 'vitest'
import type { TopicEvent } from '@/hooks/use-topics'
import { newFromOf } from './recent'

/** Events that were received at these times. */
function eventsAt(...times: number[]): TopicEvent[] {
  const event = { topic: 't', type: 'message', data: '', id: '', time: 0 }
  return times.map((receivedAt, index) => ({ ...event, seq: index + 1, receivedAt }))
}

test('events of the last two seconds are new', () => {
  expect(newFromOf(eventsAt(0, 5_000, 5_500, 7_200))).toBe(3)
  expect(newFromOf(eventsAt(9_000))).toBe(1)
})

test('none is new where more than five come in a second, or none came', () => {
  expect(newFromOf(eventsAt(0, 100, 200, 300, 400, 500, 600))).toBe(Infinity)
  expect(newFromOf([])).toBe(Infinity)
})
