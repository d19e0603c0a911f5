import { setTimeout as sleep } from 'node:timers/promises'
import { LogError } from '@/server/log/event-log'

const retryMs = 1_000

/** Calls `ask` once a second until the log answers. Gives up when the log is closed or the signal aborts. */
export async function untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof LogError) || error.code === 'closed' || signal.aborted) throw error
      await sleep(retryMs, undefined, { signal })
    }
  }
}
