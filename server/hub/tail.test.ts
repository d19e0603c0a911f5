import fc from 'fast-check'
import { createParser } from 'eventsource-parser'
import { describe, expect, test } from 'vitest'
import type { Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import { createSelection, type Selection } from './selection'
import { createTail, type Tail } from './tail'

const epoch = 'tail'

function stored(offset: number, topic = 'news', data = `${offset}`): StoredEvent {
  return { epoch, offset, topic, type: 'message', data, time: 1_000 + offset }
}

function at(offset: number): Cursor {
  return { epoch, offset }
}

/** A tail that begins after `from` and holds `events`. */
function tailOf(events: StoredEvent[], { from = 0, maxBytes = 1 << 20 } = {}): Tail {
  const tail = createTail(at(from), maxBytes)
  tail.add(events, at(events.at(-1)?.offset ?? from))
  return tail
}

function idsOf(chunk: Uint8Array | undefined): (string | undefined)[] {
  const ids: (string | undefined)[] = []
  const parser = createParser({ onEvent: ({ id }) => ids.push(id) })
  parser.feed(new TextDecoder().decode(chunk))
  return ids
}

function plain(...topics: string[]): Selection {
  return createSelection(topics, false)
}

describe('createTail', () => {
  test('returns the events of a topic after an offset, up to the head', () => {
    const tail = tailOf([stored(1), stored(2, 'other'), stored(3), stored(4, 'other')])

    const { chunk, through } = tail.take(plain('news'), 1, 1_000)

    expect(idsOf(chunk)).toEqual(['tail.3'])
    expect(through).toEqual(at(4))
  })

  test('returns no chunk, complete up to the head, when the topic has no events', () => {
    const tail = tailOf([stored(1), stored(2)])

    expect(tail.take(plain('quiet'), 0, 1_000)).toEqual({
      chunk: undefined,
      count: 0,
      through: at(2),
      isLast: false,
    })
  })

  test('cuts between frames, and continues from there', () => {
    const tail = tailOf([1, 2, 3, 4].map((offset) => stored(offset)))
    const { length } = tail.take(plain('news'), 3, 1_000).chunk ?? []

    const first = tail.take(plain('news'), 0, 2 * (length ?? 0))
    const second = tail.take(plain('news'), first.through.offset, 1_000)

    expect(idsOf(first.chunk)).toEqual(['tail.1', 'tail.2'])
    expect(first.through).toEqual(at(2))
    expect(idsOf(second.chunk)).toEqual(['tail.3', 'tail.4'])
  })

  test('an event keeps the epoch of its term, and a cursor has the epoch of the event before it', () => {
    const tail = tailOf([stored(1), stored(2)])
    tail.add(
      [
        { ...stored(3), epoch: 'later' },
        { ...stored(4), epoch: 'later' },
      ],
      {
        epoch: 'later',
        offset: 4,
      },
    )

    const all = tail.take(plain('news'), 0, 1_000)
    const [cut, rest] = [tail.take(plain('news'), 1, 20), tail.take(plain('news'), 2, 1_000)]

    expect(idsOf(all.chunk)).toEqual(['tail.1', 'tail.2', 'later.3', 'later.4'])
    expect(cut.through).toEqual(at(2))
    expect(rest.through).toEqual({ epoch: 'later', offset: 4 })
  })

  test('returns at least one event, however large', () => {
    const tail = tailOf([stored(1, 'news', 'x'.repeat(5_000)), stored(2)])

    expect(idsOf(tail.take(plain('news'), 0, 100).chunk)).toEqual(['tail.1'])
  })

  test('streams at the same place share one chunk, until events are added', () => {
    const tail = tailOf([stored(1), stored(2)])

    const one = tail.take(plain('news'), 0, 1_000).chunk
    const other = tail.take(plain('news'), 0, 1_000).chunk
    tail.add([stored(3)], at(3))
    const later = tail.take(plain('news'), 0, 1_000).chunk

    expect(other).toBe(one)
    expect(idsOf(later)).toEqual(['tail.1', 'tail.2', 'tail.3'])
  })

  test('an envelope has topic, type, time and data', () => {
    const tail = tailOf([{ ...stored(1), type: 'order.paid', data: 'a\nb' }])

    const { chunk } = tail.take(createSelection(['news'], true), 0, 1_000)

    expect(new TextDecoder().decode(chunk)).toBe(
      'data: {"topic":"news","type":"order.paid","time":1001,"data":"a\\nb"}\nid: tail.1\n\n',
    )
  })

  test('drops the oldest events when full, and says from where it is complete', () => {
    const tail = createTail(at(0), 10_000)

    for (let offset = 1; offset <= 500; offset++) {
      tail.add([stored(offset, offset % 3 === 0 ? 'fizz' : 'news')], at(offset))
    }

    expect(tail.from).toBeGreaterThan(450)
    expect(idsOf(tail.take(plain('news', 'fizz'), tail.from, 100_000).chunk)).toEqual(
      Array.from({ length: 500 - tail.from }, (_, index) => `tail.${tail.from + index + 1}`),
    )
  })

  test('whatever was added and dropped, several topics are read in order, without gaps or duplicates', () => {
    const topic = fc.constantFrom('a', 'b', 'c', 'd')
    const batches = fc.array(fc.array(topic, { maxLength: 20 }), { maxLength: 20 })

    fc.assert(
      fc.property(
        batches,
        fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
        fc.integer({ min: 1, max: 400 }),
        (added, topics, maxChunkBytes) => {
          const tail = createTail(at(0), 20_000)
          const all: StoredEvent[] = []
          for (const batch of added) {
            const events = batch.map((name, index) => stored(all.length + index + 1, name))
            all.push(...events)
            tail.add(events, at(all.length))
          }

          const read: (string | undefined)[] = []
          for (let after = tail.from; after < tail.head.offset;) {
            const { chunk, through } = tail.take(plain(...topics), after, maxChunkBytes)
            read.push(...idsOf(chunk))
            after = through.offset
          }

          const expected = all.filter(
            (event) => event.offset > tail.from && topics.includes(event.topic),
          )
          expect(read).toEqual(expected.map(({ offset }) => `tail.${offset}`))
        },
      ),
    )
  })
})
