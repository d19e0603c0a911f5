/** The tab's side of a stream that all tabs share: finds the worker, and notices when it is gone. Loaded by those alone who share. */
import {
  beatMs,
  protocolVersion,
  type FromTab,
  type FromWorker,
  type JoinOptions,
} from './shared-stream'
import { createSilenceWatch } from '@/client/connection/silence-watch'

/** A worker may have to be started first, on a busy machine. */
const answerMs = 10_000
const silentAfterBeats = 2.5

/** Keeps to JoinStream. */
export async function joinSharedStream({
  stream,
  place,
  cursor,
  reader,
  signal,
  onNews,
  onError,
  onGone,
}: JoinOptions): Promise<() => void> {
  if (!('SharedWorker' in globalThis) || !('locks' in navigator)) {
    throw new Error('This browser shares no streams.')
  }
  const worker = new SharedWorker(new URL('./shared-stream-worker.ts', import.meta.url), {
    type: 'module',
    name: JSON.stringify([protocolVersion, stream]),
  })
  const { port } = worker
  const say = (message: FromTab): void => port.postMessage(message)
  const silence = createSilenceWatch(() =>
    onGone({ kind: 'silent', message: 'The worker that reads for all tabs does not answer.' }),
  )

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
      // It is had when the worker that holds it has ended.
      void hold(lock, left, () =>
        onGone({ kind: 'lost', message: 'The worker that read for all tabs has ended.' }),
      )
      resolve(() => {
        silence.check()
        say('wake')
      })
    }

    port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (left.aborted) return
      silence.seen()
      if ('failure' in data) {
        onError(data.failure)
        return
      }
      if (!isKnown) meet(data)
      say('next')
      onNews(data)
    })
    port.start()
    const lock = crypto.randomUUID()
    void hold(lock, left, () => say({ lock, place, cursor, reader }))
  })
}

/** Calls `onHeld` once the lock is had, and holds it until `signal` aborts. */
async function hold(lock: string, signal: AbortSignal, onHeld: () => void): Promise<void> {
  try {
    await navigator.locks.request(lock, { signal }, async () => {
      onHeld()
      if (signal.aborted) return
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
  } catch {
    // Called off before it was had.
  }
}
