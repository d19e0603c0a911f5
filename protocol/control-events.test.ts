import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { describe, expect, test } from 'vitest'
import { encodeControl, isReservedType } from './control-events'

describe('encodeControl', () => {
  test('carries its data as JSON, its id, and retry', () => {
    const events: EventSourceMessage[] = []
    const retries: number[] = []
    const parser = createParser({
      onEvent: (event) => events.push(event),
      onRetry: (retry) => retries.push(retry),
    })

    parser.feed(encodeControl('ping', { time: 5 }, { id: 'hello.2' }))
    parser.feed(
      encodeControl('reconnect', { retryMs: 900, reason: 'unavailable' }, { retryMs: 900 }),
    )

    expect(events).toEqual([
      { event: 'ping', id: 'hello.2', data: '{"time":5}' },
      { event: 'reconnect', id: undefined, data: '{"retryMs":900,"reason":"unavailable"}' },
    ])
    expect(retries).toEqual([900])
  })
})

describe('isReservedType', () => {
  test.each(['connected', 'ping', 'resync', 'reconnect', 'end', 'open', 'error'])(
    'reserves %s',
    (type) => expect(isReservedType(type)).toBe(true),
  )

  test.each(['message', 'order.paid', 'Ping', '__proto__', ''])('leaves %j to publishers', (type) =>
    expect(isReservedType(type)).toBe(false),
  )
})
