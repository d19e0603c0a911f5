import { describe, expect, test } from 'vitest'
import {
  offsetOf,
  type Attempt,
  type Item,
  type PublishedEvent,
  type ReaderRecord,
  type Run,
  type Sighting,
} from '../record'
import { judge } from './judge'

const limits = { maxCount: 4, maxAgeMs: 60_000 }

/** A run in the making: one event a second is published, from second 1 on. */
function createRun() {
  const run = {
    limits,
    lives: [{ startedAt: 0, resumedAt: 0, base: 0 }],
    clockJumps: [] as { from: number; to: number }[],
    events: [] as PublishedEvent[],
    sightings: [] as Sighting[],
    readers: [] as ReaderRecord[],
    markers: [] as PublishedEvent[],
  } satisfies Run
  let now = 0

  function sight(id: string, event: PublishedEvent | undefined): Sighting {
    const known = run.sightings.find((each) => each.id === id && each.event === event)
    if (known) return known
    const sighting = { id, offset: offsetOf(id), event }
    run.sightings.push(sighting)
    return sighting
  }

  function publish(topic: string, id?: string, attempt: Partial<Attempt> = {}): PublishedEvent {
    now += 1_000
    const made = { startedAt: now, endedAt: now + 100, ...(id !== undefined && { id }), ...attempt }
    const event = { key: `e${run.events.length + 1}`, topic, attempts: [made] }
    run.events.push(event)
    if (id !== undefined) sight(id, event)
    return event
  }

  function read(topics: string[], options: Partial<ReaderRecord> = {}) {
    const items: Item[] = []
    const record: ReaderRecord = {
      name: `reader ${run.readers.length + 1}`,
      topics,
      start: 'now',
      isLive: false,
      items,
      ...options,
    }
    run.readers.push(record)
    const reader = {
      connected(cursor: string) {
        items.push({ kind: 'connected', at: now + 200, cursor })
        return reader
      },
      got(id: string, event: PublishedEvent | undefined, topic = event?.topic ?? 'a') {
        items.push({ kind: 'event', at: now + 200, topic, sighting: sight(id, event) })
        return reader
      },
      resync(reason: string, named?: string[]) {
        items.push({ kind: 'resync', at: now + 200, reason, from: 'x.0', topics: named })
        return reader
      },
    }
    return reader
  }

  /** The log loses what lies beyond `base`. */
  function lose(base: number): void {
    now += 1_000
    run.lives.push({ startedAt: now, resumedAt: now + 500, base })
    now += 500
  }

  return {
    run,
    publish,
    read,
    lose,
    kinds: () => judge(run).map(({ kind }) => kind),
    wait: (ms: number) => (now += ms),
  }
}

describe('a reader', () => {
  test('that gets every event once and in order is well served', () => {
    const { publish, read, kinds } = createRun()
    const reader = read(['a', 'b']).connected('x.0')
    for (const n of [1, 2, 3]) reader.got(`x.${n}`, publish(n === 2 ? 'b' : 'a', `x.${n}`))

    expect(kinds()).toEqual([])
  })

  test('that misses an acknowledged event has lost it', () => {
    const { publish, read, kinds } = createRun()
    const reader = read(['a']).connected('x.0')
    publish('a', 'x.1')
    reader.got('x.2', publish('a', 'x.2'))

    expect(kinds()).toEqual(['lost'])
  })

  test('that misses an event which only another reader saw has lost it, too', () => {
    const { publish, read, kinds } = createRun()
    const lucky = read(['a']).connected('x.0')
    const unlucky = read(['a']).connected('x.0')
    lucky.got('x.1', publish('a'))
    unlucky.got('x.2', publish('a', 'x.2'))

    expect(kinds()).toEqual(['lost'])
  })

  test('need not get what is not of its topics, or was published before it came', () => {
    const { publish, read, kinds } = createRun()
    publish('a', 'x.1')
    const reader = read(['a']).connected('x.1')
    publish('b', 'x.2')
    reader.got('x.3', publish('a', 'x.3'))

    expect(kinds()).toEqual([])
  })

  test('that asked for everything misses what was there', () => {
    const { publish, read, kinds } = createRun()
    publish('a', 'x.1')
    const second = publish('a', 'x.2')
    read(['a'], { start: 'all' }).connected('x.1').got('x.2', second)

    expect(kinds()).toEqual(['lost'])
  })

  test('that gets an event again after a reconnect got it once too often', () => {
    const { publish, read, kinds } = createRun()
    const event = publish('a', 'x.1')
    read(['a']).connected('x.0').got('x.1', event).connected('x.1').got('x.1', event)

    expect(kinds()).toEqual(['repeated'])
  })

  test('that gets events in another order than that of their offsets is told so', () => {
    const { publish, read, kinds } = createRun()
    const [first, second] = [publish('a', 'x.1'), publish('b', 'x.2')]
    read(['a', 'b']).connected('x.0').got('x.2', second).got('x.1', first)

    expect(kinds()).toEqual(['out-of-order'])
  })

  test('that gets an event of a topic that it may not see is the wrong one', () => {
    const { publish, read, kinds } = createRun()
    read(['a']).connected('x.0').got('x.1', publish('secret', 'x.1'), 'a')

    expect(kinds()).toEqual(['wrong-reader'])
  })

  test('that gets data which nobody published is told so', () => {
    const { read, kinds } = createRun()
    read(['a']).connected('x.0').got('x.1', undefined)

    expect(kinds()).toEqual(['unknown-event'])
  })

  test('that reads until the end must have the last event of each topic', () => {
    const { run, publish, read, kinds } = createRun()
    const reader = read(['a', 'b'], { isLive: true }).connected('x.0')
    run.markers = [publish('a', 'x.1'), publish('b', 'x.2')]
    reader.got('x.1', run.markers[0])

    expect(kinds()).toEqual(['not-caught-up'])
  })
})

describe('trimming', () => {
  /** Seven events of a topic of which the newest two are kept; the reader had the first. */
  function trimmed() {
    const made = createRun()
    const reader = made.read(['a', 'b']).connected('x.0')
    reader.got('x.1', made.publish('a', 'x.1'))
    for (const n of [2, 3, 4, 5]) made.publish('a', `x.${n}`)
    const kept = [6, 7].map((n) => made.publish('a', `x.${n}`))
    return { ...made, reader, kept }
  }

  test('explains a gap when a resync names the topic, or no topic at all', () => {
    for (const topics of [['a'], ['a', 'b'], undefined]) {
      const { reader, kept, kinds } = trimmed()
      reader.resync('trimmed', topics).got('x.6', kept[0]).got('x.7', kept[1])

      expect(kinds()).toEqual([])
    }
  })

  test('does not explain it when the resync names another topic, or does not come', () => {
    const named = trimmed()
    named.reader.resync('trimmed', ['b']).got('x.6', named.kept[0])
    const silent = trimmed()
    silent.reader.got('x.6', silent.kept[0])

    expect(named.kinds()).toEqual(['lost'])
    expect(silent.kinds()).toEqual(['lost'])
  })

  test('is told for one gap, and not for the next one', () => {
    const { reader, kept, publish, kinds } = trimmed()
    reader.resync('trimmed', ['a']).got('x.6', kept[0])
    for (const n of [8, 9, 10, 11]) publish('a', `x.${n}`)
    reader.got('x.12', publish('a', 'x.12'))

    expect(kinds()).toEqual(['lost'])
  })

  test('can not have taken what is among the newest', () => {
    const { reader, publish, kinds } = trimmed()
    reader.resync('trimmed', ['a']).got('x.8', publish('a', 'x.8'))

    expect(kinds()).toEqual(['lost'])
  })

  test('by age explains a gap of few events, and so does a clock that jumped ahead', () => {
    for (const isJump of [false, true]) {
      const { run, publish, read, wait, kinds } = createRun()
      const reader = read(['a']).connected('x.0')
      publish('a', 'x.1')
      if (isJump) run.clockJumps.push({ from: 1_100, to: 1_200 })
      else wait(61_000)
      reader.resync('trimmed', ['a']).got('x.2', publish('a', 'x.2'))

      expect(kinds()).toEqual([])
    }
  })
})

describe('a log that lost its end', () => {
  /** Two events; the second is lost with the log's end, and its offset is given again. */
  function lossy() {
    const made = createRun()
    const reader = made.read(['a']).connected('x.0')
    reader.got('x.1', made.publish('a', 'x.1'))
    return { ...made, reader, removed: made.publish('a', 'x.2') }
  }

  test('owes nobody what is gone', () => {
    const { reader, lose, publish, kinds } = lossy()
    lose(1)
    reader.got('y.2', publish('a', 'y.2'))

    expect(kinds()).toEqual([])
  })

  test('must be told to a reader that had some of it; then what is kept may come again', () => {
    const { reader, removed, run, lose, publish, kinds } = lossy()
    reader.got('x.2', removed)
    lose(1)
    reader.resync('future', ['a']).got('x.1', run.events[0]).got('y.2', publish('a', 'y.2'))

    expect(kinds()).toEqual([])
  })

  test('is not to go on in silence for a reader that had some of it', () => {
    const { reader, removed, lose, publish, kinds } = lossy()
    reader.got('x.2', removed)
    lose(1)
    publish('a', 'y.2')
    reader.got('y.3', publish('a', 'y.3'))

    expect(kinds()).toEqual(expect.arrayContaining(['untold-removal', 'lost']))
  })

  test('owes a reader beyond its new end what is published there', () => {
    const { run, lose, publish, kinds, read } = lossy()
    const late = read(['a']).connected('x.2')
    run.readers.shift()
    lose(1)
    publish('a', 'y.2')
    late.got('y.3', publish('a', 'y.3'))

    expect(kinds()).toEqual(['lost'])
  })

  test('must not give an id again', () => {
    const { lose, publish, kinds } = lossy()
    lose(1)
    publish('a', 'x.2')

    expect(kinds()).toEqual(['id-twice'])
  })

  test('may be told to a slow reader long after it, and the next loss right after that', () => {
    const { reader, removed, run, lose, publish, wait, kinds } = lossy()
    reader.got('x.2', removed)
    lose(1)
    const second = publish('a', 'y.2')
    lose(1)
    const third = publish('a', 'z.2')
    wait(60_000)
    reader.resync('future', ['a']).got('x.1', run.events[0]).got('y.2', second)
    reader.resync('future', ['a']).got('x.1', run.events[0]).got('z.2', third)

    expect(kinds()).toEqual([])

    reader.resync('future', ['a'])
    expect(kinds()).toEqual(['needless-resync'])
  })

  test('is the only reason to say that the log is another', () => {
    const { reader, lose, publish, kinds } = lossy()
    reader.resync('epoch').got('x.1', undefined).got('x.2', undefined)
    lose(1)
    reader.resync('future').got('y.2', publish('a', 'y.2'))

    expect(kinds().filter((kind) => kind !== 'unknown-event')).toEqual(['needless-resync'])
  })
})

describe('an audit', () => {
  test('need not have what the log kept before its start, or has got since', () => {
    const { publish, read, wait, kinds } = createRun()
    publish('a', 'x.1')
    wait(61_000)
    const [second, third] = [publish('b', 'x.2'), publish('a', 'x.3')]
    const offsets = new Map([
      ['a', [1, 3, 4]],
      ['b', [2]],
    ])
    const reader = read(['a', 'b'], { start: 'all', kept: { upTo: 3, offsets } })
    reader.connected('x.1').got('x.2', second).got('x.3', third)

    expect(kinds()).toEqual([])
  })

  test('must have what is in the log, whatever the limits allow', () => {
    const made = createRun()
    made.publish('a', 'x.2')
    const last = made.publish('a', 'x.3')
    const kept = { upTo: 3, offsets: new Map([['a', [2, 3]]]) }
    made.wait(61_000)
    const reader = made.read(['a'], { start: 'all', kept }).connected('x.1')
    reader.got('x.3', last)

    expect(made.kinds()).toEqual(['lost'])
  })

  test('says how many of the lost events the log itself had', () => {
    const made = createRun()
    for (const n of [1, 2]) made.publish('a', `x.${n}`)
    const kept = { upTo: 3, offsets: new Map([['a', [2, 3]]]) }
    const reader = made.read(['a'], { start: 'all', kept }).connected('x.0')
    reader.got('x.3', made.publish('a', 'x.3'))

    expect(judge(made.run).map(({ message }) => message)).toContainEqual(
      expect.stringContaining(
        '(it and 1 more up to 2) before 3 (e3); of these, the log itself had 1',
      ),
    )
  })
})

describe('publishing', () => {
  test('a publish that is in the log twice was not idempotent', () => {
    const { publish, read, kinds } = createRun()
    const reader = read(['a']).connected('x.0')
    const event = publish('a', 'x.2')
    event.attempts.unshift({ startedAt: 900, endedAt: 950 })
    reader.got('x.1', event).got('x.2', event)

    expect(kinds()).toEqual(['published-twice'])
  })

  test('a publish repeated after the log lost it is in the log once', () => {
    const { publish, lose, wait, run, kinds } = createRun()
    publish('a', 'x.1')
    const event = publish('a', 'x.2')
    lose(1)
    const startedAt = wait(1_000)
    event.attempts.push({ startedAt, endedAt: startedAt + 100, id: 'y.2' })
    run.sightings.push({ id: 'y.2', offset: 2, event })

    expect(kinds()).toEqual([])
  })

  test('an event acknowledged before another was sent comes before it', () => {
    const { publish, kinds } = createRun()
    publish('a', 'x.2')
    publish('a', 'x.1')

    expect(kinds()).toEqual(['out-of-order'])
  })
})
