import fc from 'fast-check'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { describe, expect, test } from 'vitest'
import { encodeEvent, InvalidEventError, isPublishableType } from './event'

/** Parses the text as a reader does, after encoding it to bytes and back. */
function read(text: string): { events: EventSourceMessage[]; retries: number[] } {
  const events: EventSourceMessage[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onRetry: (retry) => retries.push(retry),
    onError: (error) => {
      throw error
    },
  })
  parser.feed(new TextDecoder().decode(new TextEncoder().encode(text)))
  return { events, retries }
}

/** Data as SSE can carry it. */
function carried(data: string): string {
  return data.replaceAll(/\r\n|\r/g, '\n').toWellFormed()
}

const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('\r', '\n', ':', ' ', '\0', '\uFEFF', '\uD800', 'data', 'id'),
  }),
)
const safeName = anyString.filter((name) => !/[\r\n\0]/.test(name))
const forgedName = fc
  .tuple(anyString, fc.constantFrom('\r', '\n', '\0'), anyString)
  .map((parts) => parts.join(''))

describe('encodeEvent', () => {
  test('any data arrives, equal up to line ends and lone surrogates', () => {
    fc.assert(
      fc.property(anyString, (data) => {
        const { events } = read(encodeEvent({ data }))

        expect(events).toEqual([{ data: carried(data), event: undefined, id: undefined }])
      }),
    )
  })

  test('id, type and retry arrive with the data, in one frame', () => {
    fc.assert(
      fc.property(
        safeName,
        safeName.filter((type) => type !== '' && type !== 'message'),
        anyString,
        fc.nat(),
        (id, type, data, retryMs) => {
          const { events, retries } = read(encodeEvent({ id, type, data, retryMs }))

          expect(events).toEqual([
            { id: id.toWellFormed(), event: type.toWellFormed(), data: carried(data) },
          ])
          expect(retries).toEqual([retryMs])
        },
      ),
    )
  })

  test('several events in one text arrive one by one', () => {
    fc.assert(
      fc.property(fc.array(anyString), (texts) => {
        const { events } = read(texts.map((data) => encodeEvent({ data })).join(''))

        expect(events.map(({ data }) => data)).toEqual(texts.map(carried))
      }),
    )
  })

  test('an id that could forge a field is refused', () => {
    fc.assert(
      fc.property(forgedName, (id) => {
        expect(() => encodeEvent({ id, data: '' })).toThrow(InvalidEventError)
      }),
    )
  })

  test('a type that could forge a field is refused', () => {
    fc.assert(
      fc.property(forgedName, (type) => {
        expect(() => encodeEvent({ type, data: '' })).toThrow(InvalidEventError)
      }),
    )
  })

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('retryMs %d is refused', (retryMs) => {
    expect(() => encodeEvent({ data: '', retryMs })).toThrow(
      expect.objectContaining({ code: 'invalid-retry' }),
    )
  })

  test('the id comes last, so that a client that has the id has the event', () => {
    expect(encodeEvent({ id: 'a.1', type: 'order', data: 'x\ny', retryMs: 5 })).toBe(
      'event: order\nretry: 5\ndata: x\ndata: y\nid: a.1\n\n',
    )
  })

  test('leaves out the type message, which is the default', () => {
    expect(encodeEvent({ id: 'a.1', type: 'message', data: 'x' })).toBe('data: x\nid: a.1\n\n')
  })
})

describe('isPublishableType', () => {
  test.each(['message', 'order.paid', 'a:b/c-d_e', '_', '0', '__proto__', 'x'.repeat(128)])(
    '%s can be published',
    (type) => {
      expect(isPublishableType(type)).toBe(true)
    },
  )

  test.each(['', '.a', ':a', '-a', 'a b', 'a\n', '\ra', 'a\0', 'é', 'a,b', 'x'.repeat(129)])(
    '%j cannot',
    (type) => {
      expect(isPublishableType(type)).toBe(false)
    },
  )

  test('every type that can be published can be encoded', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/), (type) => {
        expect(read(encodeEvent({ type, data: 'x' })).events).toHaveLength(1)
      }),
    )
  })
})
