/** A stream as the components see it, with any kind of events. */
import type { StreamEvent, UseEventSource } from 'next-sse/react'

export interface Stream<E extends StreamEvent = StreamEvent> extends Omit<
  UseEventSource,
  'events'
> {
  events: readonly E[]
}
