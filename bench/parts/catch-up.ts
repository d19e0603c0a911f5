/** Many readers who come back after a long absence, and how this affects other requests. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createLatencies, type Latencies } from '../load/latencies'
import type { RunningBenchServer } from '../servers/bench-server'
import { figuresOf, topic, watch, type Figures, type Load, type Part } from './part'

const events = 50_000
const everyMs = 50

export const catchUp: Part = {
  name: 'catch-up',
  title: 'Answering others while readers catch up',
  explained: `So many readers, all at once, ask for ${events.toLocaleString('en')} events each. Until the last of them has everything, another process asks for \`/health/live\` and publishes single events to another topic, one after the other and each ${everyMs} ms after the answer.`,
  compared: ['health p50, ms', 'publish p50, ms', 'seconds'],
  loads: ({ seconds }) => [byReaders(100), ...(seconds < 5 ? [] : [byReaders(400)])],
}

function byReaders(count: number): Load {
  return {
    name: `${count} readers`,
    canBe: ({ replays, healthPath }) => replays && healthPath !== undefined,
    async measure({ about, server, generator, ...rest }): Promise<Figures> {
      await generator.publishAll({ forMs: 60_000, atMost: events, perPost: 1_000, parallel: 1 })
      const health = createLatencies()
      const publish = createLatencies()
      const origin = `http://127.0.0.1:${server.port}`
      let isUnderWay = true
      const probing = Promise.all([
        probe(health, () => isUnderWay, fetchOf(`${origin}${about.healthPath}`)),
        probe(publish, () => isUnderWay, publishTo(`${origin}${server.path('elsewhere')}`, server)),
      ])
      let tookMs = NaN
      const window = await watch({ about, server, generator, ...rest }, async () => {
        const path = server.replayPath(topic)
        try {
          ;({ tookMs } = await generator.replay({ path, count, events }))
        } finally {
          isUnderWay = false
        }
        await probing
      })
      return {
        'health p50, ms': health.quantile(0.5),
        'health p99, ms': health.quantile(0.99),
        'publish p50, ms': publish.quantile(0.5),
        'publish p99, ms': publish.quantile(0.99),
        seconds: tookMs / 1_000,
        ...figuresOf(window),
      }
    },
  }
}

/** Sends one request after another, each after the answer to the last. */
async function probe(
  latencies: Latencies,
  goesOn: () => boolean,
  ask: () => Promise<Response>,
): Promise<void> {
  while (goesOn()) {
    const startedAt = performance.now()
    const answer = await ask()
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`The answer was ${answer.status}.`)
    latencies.add((performance.now() - startedAt) * 1_000)
    await sleep(everyMs)
  }
}

function fetchOf(url: string): () => Promise<Response> {
  return () => fetch(url)
}

function publishTo(url: string, { headers }: RunningBenchServer): () => Promise<Response> {
  return () => fetch(url, { method: 'POST', headers, body: '{}' })
}
