/** Receives everything from a controller: the store of a page, or the worker's hosted stream. */
import type { Gap } from '@/protocol/gap'
import type { StreamError } from './stream-error'
import type { RawEvent } from './stream-state'

export interface Sink {
  /** Shows the progress: at once when urgent, else in a later frame. */
  show: (isUrgent?: boolean) => void
  /** Takes an event. */
  event: (event: RawEvent) => void
  /** Notes that events may be missing before the next one. */
  gap: (gap: Gap) => void
  error: (error: StreamError) => void
  readerChanged: () => void
  /** A stream begins. `isOthers`: the earlier events belong to another reader, and must not be shown any more. */
  begin: (isOthers: boolean) => void
}
