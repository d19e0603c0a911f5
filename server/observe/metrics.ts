/** The Prometheus metrics of this process. docs/operate.md explains how to use them. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { processState } from '@/server/process'

/** In seconds: from one millisecond to ten seconds. A delivery slower than that is no longer live. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  // Plain numbers, because these are updated with each chunk of each stream, and a Prometheus counter would cost more than the sending.
  const delivered = { events: 0, bytes: 0, chunks: 0 }
  return {
    registry,
    delivered,
    /** Starts measuring the process itself: its memory and its event loop. */
    measureProcess: () => collectDefaultMetrics({ register: registry }),
    openStreams: new Gauge({
      name: 'sse_open_streams',
      help: 'Streams being sent.',
      registers,
    }),
    slowestStreamLag: new Gauge({
      name: 'sse_slowest_stream_lag_events',
      help: 'How far the stream furthest behind is behind the newest event, in events of the log.',
      registers,
    }),
    eventsAppended: new Counter({
      name: 'sse_events_appended_total',
      help: 'Events that this process appended to the log.',
      registers,
    }),
    eventsDelivered: new Counter({
      name: 'sse_events_delivered_total',
      help: 'Events of the log given to streams, each counted for every stream.',
      registers,
      collect() {
        this.reset()
        this.inc(delivered.events)
      },
    }),
    bytesDelivered: new Counter({
      name: 'sse_delivered_bytes_total',
      help: 'Bytes written to streams, before compression and transfer encoding.',
      registers,
      collect() {
        this.reset()
        this.inc(delivered.bytes)
      },
    }),
    chunksDelivered: new Counter({
      name: 'sse_delivered_chunks_total',
      help: 'Pieces in which those bytes were written.',
      registers,
      collect() {
        this.reset()
        this.inc(delivered.chunks)
      },
    }),
    resyncs: new Counter({
      name: 'sse_resyncs_total',
      help: 'Readers told that events are missing, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    refusals: new Counter({
      name: 'sse_refusals_total',
      help: 'Requests refused: the code of the problem, or the reason of the reconnect.',
      labelNames: ['reason'],
      registers,
    }),
    logErrors: new Counter({
      name: 'sse_log_errors_total',
      help: 'Calls of the event log that failed, by code.',
      labelNames: ['code'],
      registers,
    }),
    livingRuns: new Gauge({
      name: 'sse_living_runs',
      help: 'Runs whose source runs in this process.',
      registers,
    }),
    runsEnded: new Counter({
      name: 'sse_runs_ended_total',
      help: 'Runs of this process that have ended, by how they ended.',
      labelNames: ['status'],
      registers,
    }),
    flushSeconds: new Histogram({
      name: 'sse_flush_duration_seconds',
      help: 'How long it took to read what is new and to wake every stream that waits for it.',
      buckets,
      registers,
    }),
    publishSeconds: new Histogram({
      name: 'sse_publish_duration_seconds',
      help: 'From a publish until the log had its events.',
      buckets,
      registers,
    }),
    deliverySeconds: new Histogram({
      name: 'sse_delivery_latency_seconds',
      help: "From the time of a flush's oldest event until every waiting stream was woken for it.",
      buckets,
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>

export const metrics = (processState.metrics ??= createMetrics())
