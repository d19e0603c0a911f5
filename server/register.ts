/** What `instrumentation.ts` runs when a server of Next starts: the engine is ready before the first request, or the process ends. */
import { ConfigError } from './config'
import { processEngine } from './engine'
import { LogError } from './log/event-log'
import { journal } from './observe/journal'

export async function startOrExit(): Promise<void> {
  try {
    const engine = processEngine()
    // Requests may come before the log is open.
    engine.watchServer({ isEarly: true })
    await engine.hub()
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof LogError)) throw error
    journal.fatal({ err: error }, `next-sse can't start: ${error.message}`)
    // Next would log an error thrown here, and serve all the same.
    process.exit(1)
  }
}
