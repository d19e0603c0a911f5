/** Holds a reader of everything against the log itself, whatever was published: it must have read what is kept. */
import { offsetOf, type ReaderRecord } from '../record'
import type { Violation } from './violation'

export function judgeAudit({ name, items, kept }: ReaderRecord): Violation[] {
  const opening = items.find(({ kind }) => kind === 'connected')
  // Events that aged while it read are told, and may still be in the log.
  if (!kept || opening?.kind !== 'connected' || items.some(({ kind }) => kind === 'resync'))
    return []
  const from = offsetOf(opening.cursor)
  const read = new Set(items.map((item) => (item.kind === 'event' ? item.sighting.offset : -1)))
  return [...kept.offsets].flatMap(([topic, offsets]) => {
    const missed = offsets.filter(
      (offset) => offset > from && offset <= kept.upTo && !read.has(offset),
    )
    if (missed.length === 0) return []
    const message = `${name}: ${topic}: ${missed.length} events of the log were not read, from ${missed[0]} to ${missed.at(-1)}`
    return [{ kind: 'lost', at: opening.at, message, context: [`connected at ${opening.cursor}`] }]
  })
}
