/** `GET /metrics`: what this process measures, as Prometheus text. */
import { registry } from '@/http/metrics'

export async function GET(): Promise<Response> {
  const text = await registry.metrics()
  return new Response(text, { headers: { 'Content-Type': registry.contentType } })
}
