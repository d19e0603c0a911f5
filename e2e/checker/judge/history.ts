/** The log as it must have been: where each event stood, and during which lives of the log. */
import { offsetOf, type PublishedEvent, type Run, type Sighting } from '../record'

/** An event at its place in the log. */
export interface Placed {
  event: PublishedEvent
  offset: number
  /** The life in which it was appended. */
  born: number
  /** The first life without it; Infinity when no loss took it. */
  dies: number
  /** Its index in `ofTopic`. */
  index: number
}

export interface History {
  /** Undefined for an event nobody published, and for the rare one of which the life can't be told. */
  placeOf: (sighting: Sighting) => Placed | undefined
  /** In the order of the offsets. */
  ofTopic: (topic: string) => readonly Placed[]
  ofEvent: (event: PublishedEvent) => readonly Placed[]
  /** Whether the limits of the log allow that an event was no longer kept at a time. */
  mayBeTrimmed: (placed: Placed, at: number) => boolean
  lifeAt: (time: number) => number
  /** What a place of one life means in a later one: a loss in between moves it back. */
  offsetIn: (life: number, place: { offset: number; life: number }) => number
}

/** Clocks, and requests under way, make ages uncertain. */
const ageSlackMs = 2_000

export function createHistory({ lives, limits, clockJumps, sightings }: Run): History {
  const placeBySighting = new Map<Sighting, Placed>()
  const byEvent = new Map<PublishedEvent, Placed[]>()
  const byTopic = new Map<string, Placed[]>()

  function baseOf(life: number): number {
    return lives[life]?.base ?? 0
  }

  function lifeAt(time: number): number {
    return lives.findLastIndex(({ startedAt }, life) => life === 0 || startedAt <= time)
  }

  function bornOf({ attempts }: PublishedEvent, offset: number): number | undefined {
    const tried = attempts.map(({ startedAt }) => lifeAt(startedAt))
    const isOfLife = (life: number): boolean => offset > baseOf(life)
    const acknowledged = attempts.findIndex(({ id }) => id !== undefined && offsetOf(id) === offset)
    if (acknowledged !== -1) {
      // An earlier attempt may have done it: this one only heard of it.
      const until = tried[acknowledged] ?? 0
      return tried.findLast((life) => life <= until && isOfLife(life)) ?? tried[0]
    }
    const possible = [...new Set(tried)].filter(isOfLife)
    return possible.length === 1 ? possible[0] : undefined
  }

  function placeEvent(event: PublishedEvent, offset: number): Placed | undefined {
    const known = byEvent.get(event) ?? []
    byEvent.set(event, known)
    const same = known.find((placed) => placed.offset === offset)
    if (same) return same
    const born = bornOf(event, offset)
    if (born === undefined) return undefined
    const end = lives.findIndex(({ base }, life) => life > born && base < offset)
    const placed = { event, offset, born, dies: end === -1 ? Infinity : end, index: 0 }
    known.push(placed)
    const list = byTopic.get(event.topic) ?? []
    byTopic.set(event.topic, list)
    list.push(placed)
    return placed
  }

  for (const sighting of sightings) {
    const placed = sighting.event && placeEvent(sighting.event, sighting.offset)
    if (placed) placeBySighting.set(sighting, placed)
  }
  /** For each index of a topic's list, when the first event from there on may have been appended. */
  const firstStartFrom = new Map<string, number[]>()
  for (const [topic, list] of byTopic) {
    list.sort((one, other) => one.offset - other.offset)
    const starts: number[] = Array.from({ length: list.length })
    let earliest = Infinity
    for (let index = list.length - 1; index >= 0; index--) {
      const placed = list[index] as Placed
      placed.index = index
      earliest = Math.min(earliest, startOf(placed.event))
      starts[index] = earliest
    }
    firstStartFrom.set(topic, starts)
  }

  return {
    placeOf: (sighting) => placeBySighting.get(sighting),
    ofTopic: (topic) => byTopic.get(topic) ?? [],
    ofEvent: (event) => byEvent.get(event) ?? [],
    mayBeTrimmed({ event, index }, at) {
      const start = startOf(event)
      if (at - start >= limits.maxAgeMs - ageSlackMs) return true
      if (clockJumps.some(({ from, to }) => to >= start && from <= at)) return true
      // Half of the limit, because events that nobody saw count for the log, too.
      const enough = index + Math.floor(limits.maxCount / 2)
      return (firstStartFrom.get(event.topic)?.[enough] ?? Infinity) <= at
    },
    lifeAt,
    offsetIn(life, place) {
      let { offset } = place
      for (let next = place.life + 1; next <= life; next++) offset = Math.min(offset, baseOf(next))
      return offset
    },
  }
}

function startOf({ attempts }: PublishedEvent): number {
  return attempts[0]?.startedAt ?? 0
}
