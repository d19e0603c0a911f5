/** Called by `instrumentation.ts` when a Next server starts. Starts the engine before the first request, or ends the process. */
import { processEngine } from './engine'
import { journal } from './observe/journal'

export async function startOrExit(): Promise<void> {
  try {
    const engine = processEngine()
    // Watch the server first, because requests may come before the log is open.
    engine.watchServer({ isEarly: true })
    await engine.hub()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    journal.fatal({ err: error }, `next-sse can't start: ${reason}`)
    // If this threw, Next would log the error and continue, and answer every request to every page with 500.
    process.exit(1)
  }
}
