/** Reads a feed as a stream does. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Feed } from '@/server/stream/feed'

/** Resolves when the feed has something to take; rejects when its source failed. */
export function ready(feed: Feed): Promise<void> {
  return new Promise((resolve, reject) => {
    feed.whenReady((failure) => {
      if (failure) reject(failure.cause)
      else resolve()
    })
  })
}

/** `next` resolves with the events of one chunk that is no ping, with an empty array at the end, and with `leave` when the reader's right has ended. */
export function readerOf(feed: Feed): { next(): Promise<EventSourceMessage[]> } {
  const arrived: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => arrived.push(event) })
  return {
    async next() {
      for (;;) {
        const chunk = feed.take(256 * 1024)
        if (chunk === 'end') return []
        if (chunk && 'leave' in chunk) return [{ event: 'leave', data: chunk.leave, id: undefined }]
        if (chunk) {
          parser.feed(new TextDecoder().decode(chunk))
          const events = arrived.splice(0).filter(({ event }) => event !== 'ping')
          if (events.length > 0) return events
        }
        await ready(feed)
      }
    },
  }
}
