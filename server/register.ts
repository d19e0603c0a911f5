/** What `instrumentation.ts` runs when a server of Next starts: the engine is ready before the first request, or the process ends. */
import { processEngine } from './engine'
import { journal } from './observe/journal'

export async function startOrExit(): Promise<void> {
  try {
    const engine = processEngine()
    // Requests may come before the log is open.
    engine.watchServer({ isEarly: true })
    await engine.hub()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    journal.fatal({ err: error }, `next-sse can't start: ${reason}`)
    // Next would log an error thrown here, and go on: every request, of every page, would be answered with 500.
    process.exit(1)
  }
}
