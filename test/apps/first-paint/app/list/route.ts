/** The path has no parameter: Next would keep its answer, if reading topics did not need a request. */
import { sse } from '../../sse'

export async function GET(): Promise<Response> {
  const { events } = await sse.history('orders')
  const { counted } = globalThis as { counted?: number }
  return Response.json({ inRequest: events.length, inTimer: counted })
}
