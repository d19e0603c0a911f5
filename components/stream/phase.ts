/** Where a stream stands, in the one word that decides what the page says and shows about it. */
import type { StreamState } from 'next-sse/react'

export type Phase =
  | 'connecting'
  | 'live'
  | 'reconnecting'
  | 'paused'
  | 'stopped'
  | 'ended'
  | 'refused'

export function phaseOf({
  status,
  closedBy,
  attempt,
}: Pick<StreamState, 'status' | 'closedBy' | 'attempt'>): Phase {
  switch (status) {
    // It is opened as soon as the page runs.
    case 'idle':
      return 'connecting'
    // An attempt that fails at once should not make the page flicker between two phases.
    case 'connecting':
      if (attempt === 0) return 'connecting'
      return navigator.onLine ? 'reconnecting' : 'paused'
    case 'open':
      return 'live'
    // Nothing failed: the stream moves, because its server is about to stop, say.
    case 'reconnecting':
      return attempt === 0 ? 'connecting' : 'reconnecting'
    case 'paused':
      return 'paused'
    case 'closed':
      return closedBy === 'server' ? 'ended' : 'stopped'
    case 'failed':
      return 'refused'
  }
}

/** True while a stream may still bring events, and can be stopped. */
export function isRunning(phase: Phase): boolean {
  return isWaiting(phase) || isAwaiting(phase)
}

/** True while the next thing to come is an event, or could be. */
export function isAwaiting(phase: Phase): boolean {
  return phase === 'connecting' || phase === 'live'
}

/** True while a stream is interrupted and goes on by itself. */
export function isWaiting(phase: Phase): boolean {
  return phase === 'reconnecting' || phase === 'paused'
}
