/** The streams of this process as a whole: how many there may be, and how all of them are asked to leave before it stops. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReconnectReason } from '@/protocol/control-events'
import { oncePerProcess } from '@/server/once-per-process'
import { metrics } from '@/server/observe/metrics'

export interface OpenStream {
  /** Asks the reader to come back, and closes. */
  leave(reason: ReconnectReason): void
}

const streams = oncePerProcess('open-streams', () => ({
  open: new Set<OpenStream>(),
  isDraining: false,
  /** Called when the last one has gone. */
  whenEmpty: undefined as (() => void) | undefined,
}))

/** A few streams need not be spread far: their readers are no crowd. */
const longestGapMs = 50

/** Counts `stream` in until the returned function is called. */
export function addStream(stream: OpenStream): () => void {
  streams.open.add(stream)
  metrics.openStreams.set(streams.open.size)
  return () => {
    streams.open.delete(stream)
    metrics.openStreams.set(streams.open.size)
    if (streams.open.size === 0) streams.whenEmpty?.()
  }
}

/** Why no further stream may open now; undefined when one may. */
export function refusalOfStream(maxStreams: number): ReconnectReason | undefined {
  if (streams.isDraining) return 'drain'
  return streams.open.size >= maxStreams ? 'too-many-streams' : undefined
}

export function isDraining(): boolean {
  return streams.isDraining
}

/** From now on each reader that asks for a stream is asked to come back, because the process is about to stop. */
export function refuseStreams(): void {
  streams.isDraining = true
}

/**
 * Takes no further stream, and asks all that are open to leave, one after another, so that their readers do not come back together.
 * Resolves when none is left, or after `overMs`, whichever is first.
 */
export async function drainStreams(overMs: number): Promise<void> {
  refuseStreams()
  const leaving = [...streams.open]
  if (leaving.length === 0) return
  const over = sleep(overMs, undefined, { ref: false })
  const empty = new Promise<void>((resolve) => {
    streams.whenEmpty = resolve
  })
  const gapMs = Math.min(longestGapMs, overMs / leaving.length)
  const startedAt = performance.now()
  for (const [index, stream] of leaving.entries()) {
    const aheadMs = startedAt + index * gapMs - performance.now()
    if (aheadMs > 1) await sleep(aheadMs)
    stream.leave('drain')
  }
  await Promise.race([empty, over])
}
