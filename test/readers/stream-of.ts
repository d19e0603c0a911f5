/** A feed as the response of a route, with default settings: what tests of streams begin with. */
import type { ServerSentEvent } from '@/protocol/event'
import { toWeb } from '@/server/routes/web-request'
import type { Feed } from '@/server/stream/feed'
import { feedOf, type FeedOptions } from '@/server/stream/feed-of'
import { createOpenStreams, type OpenStreams } from '@/server/stream/open-streams'
import type { StreamRequest, StreamSettings } from '@/server/stream/stream'

const defaultSettings: StreamSettings = {
  heartbeatMs: 15_000,
  retryMs: 2_000,
  maxStreams: Infinity,
  maxAgeMs: undefined,
}

export function openStreams(
  settings: Partial<StreamSettings> = {},
  claimConnection?: Parameters<typeof createOpenStreams>[1],
): OpenStreams {
  return createOpenStreams({ ...defaultSettings, ...settings }, claimConnection)
}

export function streamResponse(
  feed: Feed,
  {
    signal,
    expiresAt,
    recheck,
    reader,
    onEnd,
    ...settings
  }: StreamRequest & { [Name in keyof StreamSettings]?: StreamSettings[Name] },
): Response {
  return toWeb(openStreams(settings).answer(feed, { signal, expiresAt, recheck, reader, onEnd }))
}

/** A feed of what `source` makes, which is told when the feed ends. */
export function feedFrom(
  source: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
  options: FeedOptions = {},
): Feed {
  const ended = new AbortController()
  return feedOf(source(ended.signal), { ...options, ended })
}
