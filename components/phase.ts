/** Where a stream stands, in the one word that decides what the page says and shows about it. */
import type { StreamError, StreamState } from '@/hooks/event-source-client'

export type Phase = 'connecting' | 'live' | 'stopped' | 'ended' | StreamError['kind']

/** A stream that was never opened counts as connecting: it is opened as soon as the page runs. */
export function phaseOf({
  status,
  closedBy,
  error,
}: Pick<StreamState, 'status' | 'closedBy' | 'error'>): Phase {
  if (status === 'open') return 'live'
  if (status === 'closed') return closedBy === 'server' ? 'ended' : 'stopped'
  if (status === 'failed') return error?.kind ?? 'lost'
  return 'connecting'
}

/** True while a stream may still bring events, and can be stopped. */
export function isRunning(phase: Phase): boolean {
  return phase === 'connecting' || phase === 'live'
}

/** True when the stream ended as neither side meant it to. */
export function isFault(phase: Phase): boolean {
  return !isRunning(phase) && phase !== 'stopped' && phase !== 'ended'
}
