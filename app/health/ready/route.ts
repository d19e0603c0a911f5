/** `GET /health/ready`: 200 when this process can take streams and publishes now, else 503; the body says why. */
import { isDraining } from '@/server/stream/open-streams'
import { LogError } from '@/server/log/event-log'
import { processHub } from '@/server/process-hub'

export async function GET(): Promise<Response> {
  const status = await currentStatus()
  return Response.json(
    { status },
    { status: status === 'ready' ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
  )
}

/** `draining`: about to stop. `unavailable`: the event log is away. */
async function currentStatus(): Promise<'ready' | 'draining' | 'unavailable'> {
  if (isDraining()) return 'draining'
  try {
    await processHub().log.head()
    return 'ready'
  } catch (error) {
    if (error instanceof LogError) return 'unavailable'
    throw error
  }
}
