/** The state of a stream as the page shows it, in one word. */
import type { StreamState } from 'next-sse/react'

export type Phase =
  | 'connecting'
  | 'live'
  | 'reconnecting'
  | 'paused'
  | 'stopped'
  | 'ended'
  | 'refused'

/** What tells the phase. Only a stream that ends needs `closedBy`. */
export type Standing = Pick<StreamState, 'status' | 'attempt'> &
  Partial<Pick<StreamState, 'closedBy'>>

export function phaseOf({ status, closedBy, attempt }: Standing): Phase {
  switch (status) {
    // It opens as soon as the page runs.
    case 'idle':
      return 'connecting'
    // An attempt that fails at once should not make the page flicker between two phases.
    case 'connecting':
      if (attempt === 0) return 'connecting'
      return navigator.onLine ? 'reconnecting' : 'paused'
    case 'open':
      return 'live'
    // Nothing failed: the server asked the stream to move, for example because it is about to stop.
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

/** True while an event may come at any moment. */
export function isAwaiting(phase: Phase): boolean {
  return phase === 'connecting' || phase === 'live'
}

/** True while a stream is interrupted and will continue automatically. */
export function isWaiting(phase: Phase): boolean {
  return phase === 'reconnecting' || phase === 'paused'
}
