/** Notices streams in which nothing was sent for a while, or whose time is over: one timer for all of them, and none when there are none. */
import { oncePerProcess } from '@/server/once-per-process'

export interface Beating {
  /** When the stream last sent anything: `performance.now()`. */
  sentAt: number
  /** When the stream is over by itself, in milliseconds since the Unix epoch; `Infinity` for never. */
  leaveAt: number
  /** Called at `leaveAt`, and once nothing was sent for `heartbeatMs`: at most a fifth of it late. */
  beat(): void
}

interface Heart {
  streams: Set<Beating>
  timer: NodeJS.Timeout
}

const hearts = oncePerProcess('hearts', () => new Map<number, Heart>())

/** Watches `stream` until the returned function is called. */
export function watchHeartbeat(heartbeatMs: number, stream: Beating): () => void {
  const heart = hearts.get(heartbeatMs) ?? startHeart(heartbeatMs)
  heart.streams.add(stream)
  return () => {
    if (!heart.streams.delete(stream) || heart.streams.size > 0) return
    clearInterval(heart.timer)
    hearts.delete(heartbeatMs)
  }
}

function startHeart(heartbeatMs: number): Heart {
  const streams = new Set<Beating>()
  const timer = setInterval(() => {
    const due = performance.now() - heartbeatMs
    const now = Date.now()
    for (const stream of streams) {
      if (stream.sentAt <= due || stream.leaveAt <= now) stream.beat()
    }
  }, heartbeatMs / 5)
  const heart = { streams, timer }
  hearts.set(heartbeatMs, heart)
  return heart
}
