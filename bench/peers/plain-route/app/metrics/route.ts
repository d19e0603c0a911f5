/** The event loop's delay, for the bench only. */
import { collectDefaultMetrics, register } from 'prom-client'

collectDefaultMetrics()

export async function GET(request: Request): Promise<Response> {
  // Reading the request makes Next run this for each request, not at build time.
  const headers = { 'X-Asked': new URL(request.url).pathname }
  return new Response(await register.metrics(), { headers })
}
