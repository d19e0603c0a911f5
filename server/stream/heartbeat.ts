/** Notices streams that have sent nothing for a while, or must end. One timer serves all streams; without streams, no timer runs. */

export interface Beating {
  /** When the stream last sent anything: `performance.now()`. */
  sentAt: number
  /** When the stream must end, in milliseconds since the Unix epoch; `Infinity` for never. */
  leaveAt: number
  /** When the reader's right must be confirmed: `performance.now()`; `Infinity` for never. */
  recheckAt(): number
  /** Called at `leaveAt`, at `recheckAt`, and after `heartbeatMs` of silence, late by at most a fifth of `heartbeatMs`. */
  beat(): void
}

/** Watches a stream until the returned function is called. */
export type WatchHeartbeat = (stream: Beating) => () => void

/** `outside` runs code outside of the request that is under way: a timer would keep what its request has in its async context. */
export function createHeartbeat(
  heartbeatMs: number,
  outside: (run: () => NodeJS.Timeout) => NodeJS.Timeout = (run) => run(),
): WatchHeartbeat {
  const streams = new Set<Beating>()
  let timer: NodeJS.Timeout | undefined

  function beat(): void {
    const now = performance.now()
    const silentSince = now - heartbeatMs
    const time = Date.now()
    for (const stream of streams) {
      const isDue = stream.leaveAt <= time || stream.recheckAt() <= now
      if (isDue || stream.sentAt <= silentSince) stream.beat()
    }
  }

  return (stream) => {
    streams.add(stream)
    timer ??= outside(() => setInterval(beat, heartbeatMs / 5))
    return () => {
      streams.delete(stream)
      if (streams.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }
}
