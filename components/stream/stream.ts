/** A stream as the components see it, whatever its events are. */
import type { StreamEvent } from '@/client/stream-state'
import type { UseEventSource } from '@/hooks/use-event-source'

export interface Stream<E extends StreamEvent = StreamEvent> extends Omit<
  UseEventSource,
  'events'
> {
  events: readonly E[]
}
