/** Hono's streamSSE: a stream for each reader, and one `writeSSE` for each reader and event. */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import { eventsOf, greetings, pauseMs, port, readMetrics } from './peer'

const streams = new Set<SSEStreamingApi>()
const app = new Hono()

app.get('/metrics', async (context) => context.text(await readMetrics()))

app.get('/events', (context) =>
  streamSSE(context, async (stream) => {
    for (const [index, message] of greetings.entries()) {
      if (index > 0) await stream.sleep(pauseMs)
      await stream.writeSSE({ data: JSON.stringify({ message }) })
    }
  }),
)

app.get('/events/:topic', (context) =>
  streamSSE(context, async (stream) => {
    streams.add(stream)
    await stream.write(': connected\n\n')
    await new Promise<void>((resolve) => stream.onAbort(resolve))
    streams.delete(stream)
  }),
)

app.post('/events/:topic', async (context) => {
  const type = context.req.header('content-type')
  for (const data of eventsOf(await context.req.text(), type)) {
    for (const stream of streams) void stream.writeSSE({ data })
  }
  return context.body(null, 201)
})

serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
