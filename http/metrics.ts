/** What this process measures, in Prometheus' terms. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { oncePerProcess } from '@/events/once-per-process'

function createMetrics(): { registry: Registry; openStreams: Gauge } {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const openStreams = new Gauge({
    name: 'sse_open_streams',
    help: 'Streams being sent.',
    registers: [registry],
  })
  return { registry, openStreams }
}

export const { registry, openStreams } = oncePerProcess('metrics', createMetrics)
