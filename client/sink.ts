/** Where a controller puts what it learns: the store of a page, or what the worker keeps for its tabs. */
import type { Gap } from './gap'
import type { StreamError } from './stream-error'
import type { RawEvent } from './stream-state'

export interface Sink {
  /** Shows the progress: at once when that is urgent, else with a frame to come. */
  show: (isUrgent?: boolean) => void
  /** Takes an event. */
  event: (event: RawEvent) => void
  /** Notes that events may be missing before the next one. */
  gap: (gap: Gap) => void
  error: (error: StreamError) => void
  readerChanged: () => void
  /** A stream begins. Events from before it may not be shown to its reader when they are another's. */
  begin: (isOthers: boolean) => void
}
