/** The event loop's delay, for the bench alone. */
import { collectDefaultMetrics, register } from 'prom-client'

collectDefaultMetrics()

export async function GET(request: Request): Promise<Response> {
  // Reading of the request makes Next run this at each of them, not at the build.
  const headers = { 'X-Asked': new URL(request.url).pathname }
  return new Response(await register.metrics(), { headers })
}
