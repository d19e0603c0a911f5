/**
 * A connection to the worker that reads for all tabs: finds it, and notices when it is gone. Only pages that share load this file.
 */
import type { Connection } from '@/client/connection/connection'
import { createSilenceWatch } from '@/client/connection/silence-watch'
import { streamUrl } from '@/client/connection/stream-url'
import type { StreamError } from '@/client/stream-error'
import { createNewsFollower } from './follow-news'
import {
  beatMs,
  protocolVersion,
  type FromTab,
  type FromWorker,
  type SharedAttempt,
  type SharedStreamOptions,
} from './shared-stream'

/** On a busy machine it takes time to start a worker. */
const answerMs = 10_000
const silentAfterBeats = 2.5

/** Keeps to JoinStream. */
export async function joinSharedStream(attempt: SharedAttempt): Promise<Connection> {
  const { place, cursor, reader, signal, tell, maxEvents, maxAttempts } = attempt
  const { withCredentials, cursorParam, connectTimeoutMs } = attempt
  if (!('SharedWorker' in globalThis) || !('locks' in navigator)) {
    throw new Error('This browser shares no streams.')
  }
  const stream: SharedStreamOptions = {
    url: streamUrl(attempt.url),
    withCredentials,
    cursorParam,
    types: [...attempt.types.keys()],
    maxEvents,
    maxAttempts,
    connectTimeoutMs,
  }
  const worker = new SharedWorker(new URL('./shared-stream-worker.ts', import.meta.url), {
    type: 'module',
    name: `next-sse ${protocolVersion}`,
  })
  const { port } = worker
  const say = (message: FromTab): void => port.postMessage(message)
  const lose = (kind: StreamError['kind'], what: string): void =>
    tell('lost', { kind, message: `The worker that reads for all tabs ${what}.` })
  const followNews = createNewsFollower(tell)
  const silence = createSilenceWatch(() => lose('silent', 'does not answer'))

  return new Promise((resolve, reject) => {
    const leaving = new AbortController()
    const { signal: left } = leaving
    let isKnown = false

    function leave(): void {
      clearTimeout(timer)
      silence.stop()
      leaving.abort()
      port.close()
      reject(new Error('The worker that reads for all tabs was left, or did not answer.'))
    }
    const timer = setTimeout(leave, answerMs)
    signal.addEventListener('abort', leave)
    worker.addEventListener('error', () => isKnown || leave())

    function meet({ lock }: { lock: string }): void {
      isKnown = true
      clearTimeout(timer)
      silence.start(silentAfterBeats * beatMs)
      // The browser grants this lock only after the worker that held it has ended.
      void hold(lock, left, () => lose('lost', 'has ended'))
      resolve({
        check() {
          silence.check()
          say('wake')
        },
      })
    }

    port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (left.aborted) return
      silence.seen()
      if ('failure' in data) {
        tell('trouble', data.failure)
        return
      }
      if (!isKnown) meet(data)
      say('next')
      followNews(data)
    })
    port.start()
    const lock = crypto.randomUUID()
    void hold(lock, left, () => say({ lock, stream, place, cursor, reader }))
  })
}

/** Calls `onHeld` once the lock is granted, and holds it until `signal` aborts. */
async function hold(lock: string, signal: AbortSignal, onHeld: () => void): Promise<void> {
  try {
    await navigator.locks.request(lock, { signal }, async () => {
      onHeld()
      if (signal.aborted) return
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
  } catch {
    // Aborted before the lock was granted.
  }
}
