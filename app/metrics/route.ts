/** `GET /metrics`: what this process measures, as Prometheus text. */
import { processHub } from '@/server/process-hub'
import { metrics } from '@/server/observe/metrics'

export async function GET(): Promise<Response> {
  const { registry, slowestStreamLag } = metrics
  slowestStreamLag.set(processHub().slowestLag())
  const text = await registry.metrics()
  return new Response(text, {
    headers: { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' },
  })
}
