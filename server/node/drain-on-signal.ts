/**
 * Stops the process the way a deploy needs it: streams are asked to leave and publishes finish while the server still listens, so that
 * clients that come meanwhile are answered too. Next by itself closes its listener first, and then waits for every stream, without a limit.
 */
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { journal } from '@/server/observe/journal'

export interface DrainedParts {
  /** Over how long streams are asked to leave, in milliseconds. */
  drainMs: number
  drainStreams: (overMs: number) => Promise<void>
  /** Waits for the runs of this process, and ends those that take too long. */
  drainRuns: () => Promise<void>
  publishesDone: (overMs: number) => Promise<void>
  closeIdleConnections: () => void
}

type Signal = 'SIGINT' | 'SIGTERM'

/** A terminal sends Ctrl-C to every process of a group, and npm and `next dev` pass it on: one key press, several signals. */
const sameKeyPressMs = 500
const flushMs = 50
/** What is left then: other requests in flight, and what Next has put off. */
const finishMs = 1_500

/** Takes the place of the listeners there are, which are called once streams have left and publishes are done. A second signal ends the process at once. */
export function drainOnSignals(parts: DrainedParts): void {
  let stoppedAt: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const listeners = process.listeners(signal)
    // Before the others go: a signal on its way to a process that has no listener for a moment would be lost.
    process.on(signal, () => {
      if (stoppedAt === undefined) {
        stoppedAt = performance.now()
        void stop(signal, listeners, parts)
      } else if (performance.now() - stoppedAt > sameKeyPressMs) {
        exit(signal)
      }
    })
    for (const listener of listeners) process.off(signal, listener)
  }
}

async function stop(
  signal: Signal,
  listeners: readonly NodeJS.SignalsListener[],
  { drainMs, drainStreams, drainRuns, publishesDone, closeIdleConnections }: DrainedParts,
): Promise<void> {
  journal.info({ signal, drainMs }, 'Stopping: streams are asked to leave.')
  const startedAt = performance.now()
  await Promise.all([drainStreams(drainMs), drainRuns()])
  await publishesDone(startedAt + drainMs - performance.now())
  // What was said last is still on its way to the sockets, which `next dev` cuts.
  await sleep(flushMs)
  for (const listener of listeners) listener(signal)
  // Next waits for connections too, and a browser keeps some for later.
  setInterval(closeIdleConnections, 50)
  setTimeout(() => exit(signal), finishMs)
}

/** By custom, a process that a signal ended says which. */
function exit(signal: Signal): never {
  process.exit(128 + constants.signals[signal])
}
