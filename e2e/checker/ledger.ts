/** Knows every event that the checker published, by the data that carries it. */
import type { PublishedEvent, Sighting } from './record'
import { offsetOf } from './record'

export interface Ledger {
  readonly events: PublishedEvent[]
  readonly sightings: Sighting[]
  /** A new event and its data, a line of JSON of about `bytes`. */
  create: (topic: string, bytes: number) => { event: PublishedEvent; data: string }
  /** Notes that `data` came under `id`. */
  sight: (id: string, data: string) => Sighting
  /** Notes the id that an event was acknowledged with. */
  acknowledge: (id: string, event: PublishedEvent) => void
}

const keyInData = /^\{"key":"([^"]+)"/

export function createLedger(): Ledger {
  const events: PublishedEvent[] = []
  const sightings: Sighting[] = []
  const known = new Map<string, { event: PublishedEvent; length: number }>()
  const byId = new Map<string, Sighting[]>()

  function note(id: string, event: PublishedEvent | undefined): Sighting {
    let ofId = byId.get(id)
    if (!ofId) byId.set(id, (ofId = []))
    let sighting = ofId.find((each) => each.event === event)
    if (!sighting) {
      sighting = { id, offset: offsetOf(id), event }
      ofId.push(sighting)
      sightings.push(sighting)
    }
    return sighting
  }

  return {
    events,
    sightings,
    create(topic, bytes) {
      const event: PublishedEvent = { key: `e${events.length + 1}`, topic, attempts: [] }
      const data = JSON.stringify({ key: event.key, topic, text: 'x'.repeat(bytes) })
      events.push(event)
      known.set(event.key, { event, length: data.length })
      return { event, data }
    },
    sight(id, data) {
      const published = known.get(keyInData.exec(data)?.[1] ?? '')
      const isWhole = published?.length === data.length && data.endsWith('x"}')
      return note(id, isWhole ? published.event : undefined)
    },
    acknowledge: (id, event) => void note(id, event),
  }
}
