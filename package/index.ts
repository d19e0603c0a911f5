export { createSse } from '@/server/sse/sse'
export type { Sse } from '@/server/sse/sse'
export type { SseOptions } from '@/server/sse/sse-options'
export type { Keep, KeepRule } from '@/server/keep'
export { byToken } from '@/server/sse/by-token'
export type {
  NewEvent,
  NewEventOf,
  Publish,
  PublishDefined,
  PublishOptions,
} from '@/server/sse/topic-publisher'
export type { History, HistoryDefined, Read, ReadDefined } from '@/server/sse/topic-reader'
export type {
  AccessAnswer,
  AccessGrant,
  AccessQuestion,
  Authorize,
  Authorizer,
  OpenGrant,
  Revalidate,
} from '@/server/access/authorize'
export type { RouteParams, StreamRoute, TopicRoute } from '@/server/routes/handlers'
export type { StreamContext, StreamedEvents, StreamSource } from '@/server/routes/own-stream'
export type { KeptEvents } from '@/server/hub/history'
export type { Gap } from '@/protocol/gap'
export {
  EventsLostError,
  ReadError,
  type ReadFrom,
  type TopicEvent,
} from '@/server/hub/read-events'
export type { Run, RunDefined } from '@/server/sse/topic-runs'
export { RunError } from '@/server/runs/run-error'
export type { RunInfo, RunOptions, StartedRun } from '@/server/runs/runs'
export type { TopicRuns } from '@/server/sse/topic-runs'
export type { RunContext, RunEnding, RunSource } from '@/server/runs/local-run'
export type { RunValue } from '@/server/runs/run-values'
export type { RunEnd, RunReason, RunStatus } from '@/protocol/run'
export { PublishError } from '@/server/hub/publish-error'
export { DisconnectError, type DisconnectTarget } from '@/server/hub/rights/disconnects'
export { LogError, type Appended } from '@/server/log/event-log'
export { ConfigError } from '@/server/config'
export { Refusal, type OwnProblem, type ProblemCode } from '@/server/refusal'
export type { ServerSentEvent } from '@/protocol/event'
export { parseCursor, type Cursor } from '@/protocol/cursor'
export type { Preloaded } from '@/protocol/preloaded'
