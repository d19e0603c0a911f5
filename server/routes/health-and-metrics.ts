/** The routes for operators: whether this process can serve, and its metrics. */
import { jsonAnswer } from '@/server/answer'
import type { Engine } from '@/server/engine'
import { LogError } from '@/server/log/event-log'
import { metrics } from '@/server/observe/metrics'
import { toWeb } from './web-request'

/** 200 when this process can serve streams and publishes now, else 503. */
export async function healthAnswer(engine: Engine): Promise<Response> {
  const status = await statusOf(engine)
  return toWeb(jsonAnswer(status === 'ready' ? 200 : 503, { status }))
}

/** `draining`: the process is about to stop. `unavailable`: the event log can't be reached. */
async function statusOf({ streams, hub }: Engine): Promise<'ready' | 'draining' | 'unavailable'> {
  if (streams.isDraining) return 'draining'
  try {
    await (await hub()).log.head()
    return 'ready'
  } catch (error) {
    if (error instanceof LogError) return 'unavailable'
    throw error
  }
}

export async function metricsAnswer({ openHub }: Engine): Promise<Response> {
  const { registry, slowestStreamLag } = metrics
  slowestStreamLag.set(openHub?.slowestLag() ?? 0)
  const text = await registry.metrics()
  return new Response(text, {
    headers: { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' },
  })
}
