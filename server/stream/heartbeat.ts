/** Notices streams that have sent nothing for a while, or must end. One timer serves all streams; without streams, no timer runs. */

export interface Beating {
  /** When the stream last sent anything: `performance.now()`. */
  sentAt: number
  /** When the stream must end, in milliseconds since the Unix epoch; `Infinity` for never. */
  leaveAt: number
  /** Called at `leaveAt`, and after `heartbeatMs` of silence, late by at most a fifth of `heartbeatMs`. */
  beat(): void
}

/** Watches a stream until the returned function is called. */
export type WatchHeartbeat = (stream: Beating) => () => void

export function createHeartbeat(heartbeatMs: number): WatchHeartbeat {
  const streams = new Set<Beating>()
  let timer: NodeJS.Timeout | undefined

  function beat(): void {
    const silentSince = performance.now() - heartbeatMs
    const now = Date.now()
    for (const stream of streams) {
      if (stream.sentAt <= silentSince || stream.leaveAt <= now) stream.beat()
    }
  }

  return (stream) => {
    streams.add(stream)
    timer ??= setInterval(beat, heartbeatMs / 5)
    return () => {
      streams.delete(stream)
      if (streams.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }
}
