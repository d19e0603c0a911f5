'use client'
export {
  createHooks,
  type Hooks,
  type HooksOptions,
  type ReceivedEventOf,
  type RunEventOf,
} from '@/hooks/create-hooks'
export {
  useEventSource,
  type UseEventSource,
  type UseEventSourceOptions,
} from '@/hooks/use-event-source'
export { LiveRefresh, type LiveRefreshProps } from '@/hooks/live-refresh'
export { useRefresh, type RefreshOptions, type RefreshState } from '@/hooks/use-refresh'
export {
  useTopics,
  type TopicEvent,
  type UseTopics,
  type UseTopicsOptions,
} from '@/hooks/use-topics'
export { useRun, type UseRun, type UseRunOptions } from '@/hooks/use-run'
export type { RunEvent } from '@/client/run-view'
export type { RunEnd, RunReason, RunStatus } from '@/protocol/run'
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
export type { Preloaded } from '@/protocol/preloaded'
