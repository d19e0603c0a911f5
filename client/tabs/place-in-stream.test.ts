import { describe, expect, test } from 'vitest'
import { placeIn, type Delivered } from './place-in-stream'
import type { Item } from './shared-stream'

/** `!` is a gap. */
function itemOf(id: string): Item {
  return id === '!'
    ? { reason: 'epoch', from: '', oldest: null, topics: [] }
    : { type: 'message', data: '', id, receivedAt: 0 }
}

function stream(ids: string, change: Partial<Delivered> = {}): Delivered {
  const items = ids.split(' ').filter(Boolean).map(itemOf)
  const last = ids.split(' ').at(-1) ?? ''
  return {
    name: 's',
    from: '',
    items,
    seq: items.length,
    lastEventId: last,
    isOurs: true,
    isWhole: false,
    ...change,
  }
}

describe('placeIn', () => {
  test.each([
    // The id itself.
    ['aaaa.3 aaaa.5 aaaa.9', 'aaaa.5', 2],
    ['aaaa.3 aaaa.5 aaaa.9', 'aaaa.9', 3],
    // One between two of the stream's.
    ['aaaa.3 aaaa.5 aaaa.9', 'aaaa.4', 1],
    ['aaaa.3 aaaa.5 aaaa.9', 'aaaa.8', 2],
    // Before the first or beyond the last, nobody knows what there is.
    ['aaaa.3 aaaa.5 aaaa.9', 'aaaa.2', undefined],
    ['aaaa.3 aaaa.5 aaaa.9', 'aaaa.10', undefined],
    ['aaaa.3 aaaa.5 aaaa.9', 'bbbb.4', undefined],
    ['aaaa.3 aaaa.5 aaaa.9', 'none', undefined],
    // Another epoch begins without a loss.
    ['aaaa.99 aaaa.100 cccc.101 cccc.110', 'aaaa.100', 2],
    ['aaaa.99 aaaa.100 cccc.101 cccc.110', 'cccc.101', 3],
    ['aaaa.99 aaaa.100 cccc.101 cccc.110', 'cccc.105', 3],
    ['aaaa.90 aaaa.100 cccc.110', 'cccc.105', 2],
    ['aaaa.90 aaaa.100 cccc.110', 'aaaa.95', 1],
    // Of the old epoch, it may be what was lost.
    ['aaaa.90 aaaa.100 cccc.110', 'aaaa.105', undefined],
    ['aaaa.90 aaaa.100 cccc.110', 'aaaa.110', undefined],
    ['aaaa.90 aaaa.100 cccc.110', 'aaaa.150', undefined],
    // After a loss offsets are given again.
    ['aaaa.100 aaaa.150 ! bbbb.101 bbbb.160', 'aaaa.150', 2],
    ['aaaa.100 aaaa.150 ! bbbb.101 bbbb.160', 'aaaa.120', undefined],
    ['aaaa.100 aaaa.150 ! bbbb.101 bbbb.160', 'bbbb.120', 4],
    ['aaaa.100 aaaa.150 ! bbbb.101 bbbb.160', 'bbbb.100', undefined],
    ['aaaa.100 aaaa.150 ! bbbb.101 bbbb.160', 'aaaa.101', undefined],
  ])('after %s, %s has %j', (ids, cursor, seq) => {
    expect(placeIn(stream(ids), cursor)).toBe(seq)
  })

  test('counts the items that are no longer kept', () => {
    expect(placeIn(stream('aaaa.5 aaaa.9', { seq: 12 }), 'aaaa.7')).toBe(11)
    expect(placeIn(stream('aaaa.5 aaaa.9', { seq: 12 }), 'aaaa.3')).toBeUndefined()
  })

  test('a reader at the cursor of the first item or later, in a stream that began before it', () => {
    const begun = stream('aaaa.5 aaaa.9', { from: 'aaaa.2' })

    expect(placeIn(begun, 'aaaa.2')).toBe(0)
    expect(placeIn(begun, 'aaaa.3')).toBe(0)
    expect(placeIn(begun, 'aaaa.1')).toBeUndefined()
    expect(placeIn({ ...begun, seq: 3 }, 'aaaa.3')).toBeUndefined()
  })

  test('knows where the stream stands beyond its last event', () => {
    const pinged = stream('aaaa.5', { lastEventId: 'aaaa.20' })

    expect(placeIn(pinged, 'aaaa.20')).toBe(1)
    expect(placeIn(pinged, 'aaaa.17')).toBe(1)
    expect(placeIn(pinged, 'aaaa.21')).toBeUndefined()
  })

  test('a reader with nothing takes all of a stream that began so', () => {
    expect(placeIn(stream('aaaa.5'), '')).toBe(0)
    expect(placeIn(stream('aaaa.5', { from: 'aaaa.2' }), '')).toBeUndefined()
  })

  test('a reader of a run with nothing takes it from its beginning, and not only the newest of it', () => {
    expect(placeIn(stream('aaaa.5', { isWhole: true }), '')).toBe(0)
    expect(placeIn(stream('aaaa.5', { isWhole: true, seq: 3 }), '')).toBeUndefined()
    expect(placeIn(stream('aaaa.5', { seq: 3 }), '')).toBe(2)
  })

  test('a place in the stream itself counts, whatever the ids', () => {
    const foreign = stream('7 7', { isOurs: false })

    expect(placeIn(foreign, '7')).toBeUndefined()
    expect(placeIn(foreign, '7', { stream: 's', seq: 1 })).toBe(1)
    expect(placeIn(foreign, '7', { stream: 'other', seq: 1 })).toBeUndefined()
    expect(placeIn({ ...foreign, seq: 9 }, '7', { stream: 's', seq: 1 })).toBeUndefined()
  })
})
