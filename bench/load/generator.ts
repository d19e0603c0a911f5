/** The load generator, a process of its own: it opens streams, publishes, and reports what it received. bench/run.ts starts it and calls its methods. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLatencies, type Latencies } from './latencies'
import { createPublishers, type Publishers, type PublishersOptions } from './publishers'
import { createReaders, type OpenRequest, type Readers } from './readers'
import { answerCalls } from './remote'
import { createTokenReaders } from './token-readers'
import type { TokenRequest } from '../peers/tokens'

export type Generator = typeof methods

export interface Latency {
  p50Ms: number
  p99Ms: number
}

const connections = 64
const deliveryTimeoutMs = 30_000
const settleMs = 10_000
const lastChunk = '\r\n0\r\n\r\n'

let port = 0
let readers: Readers
let publishers: Publishers
let stopPublishing = (): void => {}
let failed = 0

const methods = {
  /** Sets the server that all later calls talk to. */
  aim(target: PublishersOptions): void {
    ;({ port } = target)
    readers = createReaders(port)
    publishers = createPublishers(target)
  },

  /** Opens streams, and returns how long each took. */
  async open(request: OpenRequest): Promise<Latency & { failed: number; fault?: string }> {
    const { took, faults } = await readers.open(request)
    const [fault] = faults
    return { ...latencyOf(took), failed: faults.length, ...(fault !== undefined && { fault }) }
  },

  /**
   * Publishes an event, waits until every reader has it, pauses for the same time (at least 20 ms), and repeats. Returns how long it
   * took until the last reader had each event.
   */
  async publishOneByOne({
    forMs,
    subscribers,
  }: {
    forMs: number
    subscribers: number
  }): Promise<Latency & { events: number }> {
    const took = createLatencies()
    let events = 0
    const until = performance.now() + forMs
    while (performance.now() < until) {
      const wanted = readers.events() + subscribers
      const startedAt = performance.now()
      const hasAll = readers.got(wanted, deliveryTimeoutMs)
      await publishers.publish(1)
      if (!(await hasAll)) throw new Error('An event did not reach every reader.')
      const tookMs = performance.now() - startedAt
      took.add(tookMs * 1_000)
      events++
      await sleep(Math.max(tookMs, 20))
    }
    return { events, ...latencyOf(took) }
  },

  /**
   * Publishes so many events a second from now on, each by a POST of its own, or with `everyMs` those that are due by one POST.
   * Events for which no connection is free are left out: what can't be kept up with is not made up for.
   */
  publishSteadily({ perSecond, everyMs }: { perSecond: number; everyMs?: number }): void {
    const startedAt = performance.now()
    let due = 0
    const publish = (count: number): void => {
      if (publishers.underWay() >= connections) return
      publishers.publish(count).catch(() => failed++)
    }
    const timer = setInterval(() => {
      const target = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond)
      if (everyMs !== undefined && target > due) publish(target - due)
      else for (; due < target; due++) publish(1)
      due = target
    }, everyMs ?? 2)
    stopPublishing = () => clearInterval(timer)
  },

  /** Resets the latencies and the count of failures. */
  reset(): void {
    readers.latencies.clear()
    publishers.latencies.clear()
    failed = 0
  },

  /** The counts since the beginning, and the latencies since `reset`. */
  counts() {
    return {
      deliveries: readers.events(),
      published: publishers.published(),
      ...latencyOf(readers.latencies),
      broken: readers.broken(),
      failed,
    }
  },

  /**
   * Ends `publishSteadily`, and tells how many deliveries are missing when nothing more comes: of all events but those of the warm-up,
   * published before anybody read.
   */
  async settle({
    subscribers,
    warmUp = 0,
  }: {
    subscribers: number
    warmUp?: number
  }): Promise<{ missing: number }> {
    stopPublishing()
    for (let rests = 0; publishers.underWay() > 0 && rests < 100; rests++) await sleep(50)
    const wanted = (publishers.published() - warmUp) * subscribers
    await readers.got(wanted, settleMs)
    return { missing: wanted - readers.events() }
  },

  /**
   * Publishes as fast as the answers come, with `perPost` events in each POST and `parallel` POSTs at once, for `forMs` or until
   * `atMost` events; at most `perSecond` of them a second.
   */
  async publishAll({
    forMs,
    atMost = Infinity,
    perSecond = Infinity,
    perPost,
    parallel,
  }: {
    forMs: number
    atMost?: number
    perSecond?: number
    perPost: number
    parallel: number
  }): Promise<Latency & { events: number; tookMs: number }> {
    const before = publishers.published()
    const startedAt = performance.now()
    let left = atMost
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        while (left > 0 && performance.now() - startedAt < forMs) {
          const count = Math.min(perPost, left)
          left -= count
          await publishers.publish(count)
          const sent = publishers.published() - before
          const aheadMs = startedAt + (sent / perSecond) * 1_000 - performance.now()
          if (aheadMs > 1) await sleep(aheadMs)
        }
      }),
    )
    return {
      events: publishers.published() - before,
      tookMs: performance.now() - startedAt,
      ...latencyOf(publishers.latencies),
    }
  },

  /** How long it takes until the given number of new readers have the given number of events each. */
  async replay({ path, count, events }: { path: string; count: number; events: number }) {
    const startedAt = performance.now()
    const hasAll = readers.got(readers.events() + count * events, 120_000)
    await readers.open({ path, count, parallel: count })
    if (!(await hasAll)) throw new Error('The replay did not arrive within two minutes.')
    return { tookMs: performance.now() - startedAt }
  },

  /** Reads finite streams at once, each to its end. A stream without `text`, or one that takes too long, does not count as done. */
  async readToTheEnd(request: { path: string; count: number; text: string; timeoutMs: number }) {
    const startedAt = performance.now()
    const whole = await Promise.all(
      Array.from({ length: request.count }, () => readToTheEnd(request)),
    )
    return { done: whole.filter(Boolean).length, tookMs: performance.now() - startedAt }
  },

  /**
   * Begins runs, and reads each with so many readers: the others join when the first ones have an answer. Returns when all tokens have
   * come, or none any more.
   */
  async readRuns({
    path,
    readers: perRun,
    ...asked
  }: TokenRequest & { path: string; readers: number }) {
    const startedAt = performance.now()
    await startRuns(asked)
    const all = createTokenReaders(port)
    const wanted = asked.runs * perRun * asked.tokens
    // A server's queue of new connections is short, and a connection that is not let in waits for a second or more.
    const openAll = async (count: number): Promise<void> => {
      let next = 0
      const openOn = async (): Promise<void> => {
        while (next < asked.runs * count) {
          await all.open(path.replace('*', `${asked.name}-${next++ % asked.runs}`))
        }
      }
      await Promise.all(Array.from({ length: connections }, openOn))
    }
    const hasAll = all.got(wanted, settleMs)
    await openAll(1)
    await openAll(perRun - 1)
    await hasAll
    const tookMs = performance.now() - startedAt
    all.close()
    return {
      tookMs,
      tokens: all.tokens(),
      missing: wanted - all.tokens(),
      wrong: all.wrong(),
      refused: all.refused(),
      latency: latencyOf(all.latencies),
      live: latencyOf(all.live),
      firstToken: latencyOf(all.firstToken),
    }
  },

  /** How long readers that come one after the other take to get all tokens of a run that goes on. */
  async resumeRun({ path, times, ...asked }: TokenRequest & { path: string; times: number }) {
    await startRuns(asked)
    const took = createLatencies()
    let missing = 0
    const first = createTokenReaders(port)
    const firstHasAll = first.got(asked.tokens, settleMs)
    await first.open(path.replace('*', `${asked.name}-0`))
    await firstHasAll
    for (let time = 0; time < times; time++) {
      const reader = createTokenReaders(port)
      const startedAt = performance.now()
      const hasAll = reader.got(asked.tokens, 2_000)
      await reader.open(path.replace('*', `${asked.name}-0`))
      await hasAll
      took.add((performance.now() - startedAt) * 1_000)
      missing += asked.tokens - reader.tokens()
      reader.close()
    }
    first.close()
    return { missing, ...latencyOf(took) }
  },

  /** The CPU time of this process so far. */
  cpuMs(): number {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  },
}

async function startRuns(asked: TokenRequest): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/start`, {
    method: 'POST',
    body: JSON.stringify(asked),
  })
  if (answer.status !== 201) throw new Error(`The runs could not be started: ${answer.status}.`)
}

function latencyOf(latencies: Latencies): Latency {
  return { p50Ms: latencies.quantile(0.5), p99Ms: latencies.quantile(0.99) }
}

function readToTheEnd({
  path,
  text,
  timeoutMs,
}: {
  path: string
  text: string
  timeoutMs: number
}): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => socket.destroy(), timeoutMs)
    let received = ''
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n`,
    )
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      // Some servers keep the connection open although the request asks to close it.
      if (received.endsWith(lastChunk)) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received.includes(text))
    })
  })
}

answerCalls(methods)
