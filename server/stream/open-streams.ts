/** The streams of a process as a whole: how many there may be, and how all of them are asked to leave before the process stops. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReconnectReason } from '@/protocol/control-events'
import type { Answer } from '@/server/answer'
import { metrics } from '@/server/observe/metrics'
import type { Feed } from './feed'
import { createHeartbeat } from './heartbeat'
import { createStream, type StreamHost, type StreamRequest, type StreamSettings } from './stream'
import { refusedStream, streamHeaders } from './stream-frames'

export interface OpenStreams {
  /** The feed as a stream; where the connection can't have one, the request to come back. */
  answer: (feed: Feed, request: StreamRequest) => Answer
  /**
   * Refuses a stream for a reason that will pass: asks the reader to come back, and closes. Any status but 200 would end a native
   * EventSource for good. `lastEventId` is the cursor that the reader presented, empty when it presented none.
   */
  comeBack: (
    reason: ReconnectReason,
    reader: { lastEventId: string; reader?: string | undefined },
  ) => Answer
  /** True once no further stream may begin, because the process is about to stop. */
  readonly isDraining: boolean
  /** From now on, asks each reader that wants a stream to come back. */
  refuse: () => void
  /**
   * Takes no further stream, and asks all open ones to leave, one after another, so that their readers do not come back together.
   * Resolves when none is left, or after `overMs`, whichever is first.
   */
  drain: (overMs: number) => Promise<void>
}

/** A few streams need not be spread far: their readers are no crowd. */
const longestGapMs = 50

/** `claimConnection` says why no stream may open on the connection of the current request; undefined when one may. */
export function createOpenStreams(
  settings: StreamSettings,
  claimConnection: () => ReconnectReason | undefined = () => undefined,
): OpenStreams {
  const open = new Set<(reason: ReconnectReason) => void>()
  let isDraining = false
  let whenEmpty: (() => void) | undefined

  const host: StreamHost = {
    settings,
    watchHeartbeat: createHeartbeat(settings.heartbeatMs),
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
      return comeBack(refused, { lastEventId: feed.cursor ?? '', reader })
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
