/** All streams of a process: limits their number, and asks their readers to leave before the process stops. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReconnectReason } from '@/protocol/control-events'
import type { Answer } from '@/server/answer'
import { metrics } from '@/server/observe/metrics'
import type { Feed } from './feed'
import { createHeartbeat } from './heartbeat'
import { createStream, type StreamHost, type StreamRequest, type StreamSettings } from './stream'
import { refusedStream, streamHeaders } from './stream-frames'

export interface OpenStreams {
  /** Answers with a stream of the feed, or asks the reader to come back when the connection can't carry a stream. */
  answer: (feed: Feed, request: StreamRequest) => Answer
  /**
   * Refuses a stream for a temporary reason: asks the reader to come back, and closes. The status is 200, because any other status
   * would stop a native EventSource for good. `lastEventId` is the cursor that the reader presented, or empty.
   */
  comeBack: (
    reason: ReconnectReason,
    reader: { lastEventId: string; reader?: string | undefined },
  ) => Answer
  /** True when no new stream may begin, because the process is about to stop. */
  readonly isDraining: boolean
  /** From now on, asks the reader of every new stream to come back. */
  refuse: () => void
  /**
   * Refuses new streams, and asks the readers of all open ones to leave, one after another, so that they do not reconnect all at
   * once. Resolves when no stream is left, or after `overMs`, whichever is first.
   */
  drain: (overMs: number) => Promise<void>
}

/** The longest pause between two readers. A few streams need not be spread over the whole time. */
const longestGapMs = 50

/**
 * `claimConnection` returns why no stream may open on the connection of the current request, or undefined when one may. `outside` runs
 * code outside of the current request.
 */
export function createOpenStreams(
  settings: StreamSettings,
  claimConnection: () => ReconnectReason | undefined = () => undefined,
  outside?: Parameters<typeof createHeartbeat>[1],
): OpenStreams {
  const open = new Set<(reason: ReconnectReason) => void>()
  let isDraining = false
  let whenEmpty: (() => void) | undefined

  const host: StreamHost = {
    settings,
    watchHeartbeat: createHeartbeat(settings.heartbeatMs, outside),
    refusal() {
      if (isDraining) return 'drain'
      return open.size >= settings.maxStreams ? 'too-many-streams' : undefined
    },
    add(leave) {
      open.add(leave)
      metrics.openStreams.set(open.size)
      return () => {
        open.delete(leave)
        metrics.openStreams.set(open.size)
        if (open.size === 0) whenEmpty?.()
      }
    },
  }

  const comeBack: OpenStreams['comeBack'] = (reason, { lastEventId, reader }) => {
    metrics.refusals.inc({ reason })
    return {
      status: 200,
      headers: streamHeaders(reader),
      body: refusedStream(reason, settings.retryMs, lastEventId),
    }
  }

  return {
    comeBack,
    answer(feed, request) {
      const { signal, reader } = request
      const stream = createStream(feed, request, host)
      const refused = signal?.aborted ? undefined : claimConnection()
      if (!refused) return { status: 200, headers: streamHeaders(reader), body: stream }
      stream.stop()
      return comeBack(refused, { lastEventId: feed.cursor() ?? '', reader })
    },
    get isDraining() {
      return isDraining
    },
    refuse() {
      isDraining = true
    },
    async drain(overMs) {
      isDraining = true
      const leaving = [...open]
      if (leaving.length === 0) return
      const over = sleep(overMs, undefined, { ref: false })
      const empty = new Promise<void>((resolve) => {
        whenEmpty = resolve
      })
      const gapMs = Math.min(longestGapMs, overMs / leaving.length)
      const startedAt = performance.now()
      for (const [index, leave] of leaving.entries()) {
        const aheadMs = startedAt + index * gapMs - performance.now()
        if (aheadMs > 1) await sleep(aheadMs)
        leave('drain')
      }
      await Promise.race([empty, over])
    },
  }
}
