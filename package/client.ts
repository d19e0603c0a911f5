export {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from '@/client/event-source-client'
export type { Gap } from '@/protocol/gap'
export type { Reduce } from '@/client/events/reduce'
export type { StreamError } from '@/client/stream-error'
export type {
  GapMark,
  RawEvent,
  ReceivedEvent,
  StreamEvent,
  StreamState,
} from '@/client/stream-state'
export { parseCursor, type Cursor } from '@/protocol/cursor'
export { isTopic } from '@/protocol/topics/topic'
