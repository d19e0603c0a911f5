/**
 * One run with sessions: servers on one log, some of which are killed and stopped, and visitors whose rights end in all ways. Then the
 * judgement: no stream showed what was sent after its right had ended, nobody with a login that held was thrown out, and nobody missed
 * an event meanwhile.
 */
import { rmSync } from 'node:fs'
import { asPublisher } from '../../../test/requests/publisher'
import { awaitMarkers } from '../await-markers'
import { startChaosProxy } from '../chaos-proxy'
import type { CheckerOptions, Outcome } from '../checker'
import { withClosing } from '../closing'
import { createCluster } from '../cluster'
import { prefixed, sumOf } from '../counts'
import { processFaults } from '../faults/process-faults'
import { runFaults } from '../faults/run-faults'
import { judge } from '../judge/judge'
import type { Violation, ViolationKind } from '../judge/violation'
import { createLedger } from '../ledger'
import { startPublishers } from '../publishers'
import { createRandom } from '../random'
import { noCounts } from '../readers/recorder'
import type { PublishedEvent } from '../record'
import { serverEnv, sleep } from '../setting'
import { openStorage } from '../storage'
import { judgeSessions } from './judge-sessions'
import { buildSessionApp, recheckMs } from './session-app'
import type { Disconnect, Selector } from './session-record'
import { openSessionStore, privateTopic, teamTopic } from './session-store'
import { startVisitors, users } from './visitors'

const limits = { maxCount: 1_000_000, maxAgeMs: 3_600_000 }
const requestsPerSecond = 30
const disconnectTimeoutMs = 15_000

export function checkSessions(options: CheckerOptions): Promise<Outcome> {
  const { engine, seconds, signal, say } = options
  return withClosing(signal, async (closing) => {
    const random = createRandom(options.seed)
    const found: Violation[] = []
    const note = (kind: ViolationKind) => (message: string) =>
      void found.push({ kind, at: Date.now(), message, context: [] })
    const ledger = createLedger()
    const store = await openSessionStore()
    closing.push(store.close)
    const storage = await openStorage(engine, say)
    closing.push(storage.close)
    const env = {
      ...serverEnv,
      EVENTS_URL: storage.url,
      EVENTS_MAX_COUNT: String(limits.maxCount),
      EVENTS_MAX_AGE: `${limits.maxAgeMs}ms`,
      SESSION_STORE: store.url,
      PUBLISHER: asPublisher.authorization,
    }
    say('Building the app.')
    const app = await buildSessionApp(`session-app-${engine}`)
    closing.push(() => rmSync(app, { recursive: true }))
    const cluster = await createCluster(options.servers, env, note('wrong-answer'), app)
    closing.push(cluster.close)
    await cluster.startAll()
    const proxies = await Promise.all(
      cluster.ports.map((_, index) =>
        startChaosProxy(cluster.ports, index, random.fork(`proxy ${index}`)),
      ),
    )
    closing.push(...proxies.map(({ close }) => close))
    const origins = proxies.map(({ url }) => url)

    const disconnects: Disconnect[] = []
    const disconnectRandom = random.fork('disconnects')
    async function disconnectOnce(selector: Selector): Promise<boolean> {
      const call: Disconnect = { selector, askedAt: Date.now(), resolvedAt: Infinity }
      disconnects.push(call)
      const url = `${cluster.urlOf(disconnectRandom.between(0, options.servers - 1))}/disconnect`
      const body = JSON.stringify(selector)
      const signalOfCall = AbortSignal.timeout(disconnectTimeoutMs)
      try {
        if (options.planted === 'unheard') {
          call.resolvedAt = Date.now()
          return true
        }
        const answer = await fetch(url, { method: 'POST', body, signal: signalOfCall })
        if (answer.ok) call.resolvedAt = Date.now()
        return answer.ok
      } catch {
        // The server was killed or stopped: the call may have been in time, or not.
        return false
      }
    }

    const readerCounts = noCounts()
    const visitors = startVisitors({
      count: options.readers,
      origins,
      store,
      ledger,
      random: random.fork('visitors'),
      counts: readerCounts,
      async disconnect(selector) {
        for (let attempt = 0; attempt < 5 && !(await disconnectOnce(selector)); attempt++) {
          await sleep(200)
        }
      },
    })
    closing.push(visitors.stop)
    const topics = [teamTopic, ...users.map(privateTopic)]
    const publishers = startPublishers({
      origins,
      topics,
      ledger,
      random: random.fork('publishers'),
      requestsPerSecond,
      onWrongAnswer: note('wrong-answer'),
    })
    closing.push(publishers.stop)

    const faultCounts = new Map<string, number>()
    const endsAt = Date.now() + seconds * 1_000
    const isOver = (): boolean => Date.now() >= endsAt
    const context = { random: random.fork('faults'), cluster, storage }
    if (options.hasFaults) await runFaults(processFaults, context, faultCounts, isOver, say)
    while (!isOver()) await sleep(100)

    say('The faults are over. Readers catch up.')
    for (const index of cluster.ports.keys()) {
      if (!cluster.isRunning(index)) await cluster.start(index)
    }
    await visitors.calmDown()
    await publishers.pause()
    for (const proxy of proxies) proxy.calmDown()
    const markers: PublishedEvent[] = []
    for (const topic of topics) markers.push(await publishers.publishSurely(topic))
    await awaitMarkers(visitors.records, markers)
    visitors.stop()

    const streams = visitors.streams()
    const { grants, confirmations } = store
    const { events, sightings } = ledger
    const lives = [{ startedAt: 0, resumedAt: 0, base: 0 }]
    const readers = visitors.records
    found.push(...judgeSessions({ recheckMs, streams, grants, confirmations, disconnects }))
    found.push(...judge({ limits, lives, clockJumps: [], events, sightings, readers, markers }))
    const endings = new Map<string, number>()
    for (const { end } of streams) {
      const how = end?.kind === 'sent-away' ? end.reason : (end?.kind ?? 'open at the end')
      endings.set(how, (endings.get(how) ?? 0) + 1)
    }
    return {
      violations: found.toSorted((one, other) => one.at - other.at),
      counts: {
        'events acknowledged': publishers.counts.acknowledged,
        'publish requests without an answer': publishers.counts.unknown,
        pages: readers.length,
        'pages that read until the end': readers.filter(({ isLive }) => isLive).length,
        deliveries: readerCounts.deliveries,
        'streams opened': readerCounts.connections,
        'connections cut': sumOf(proxies.map(({ counts }) => counts.cuts)),
        'grants confirmed': confirmations.length,
        'disconnects resolved': disconnects.filter(({ resolvedAt }) => resolvedAt < Infinity)
          .length,
        'disconnects without an answer': disconnects.filter(
          ({ resolvedAt }) => resolvedAt === Infinity,
        ).length,
        ...prefixed('stream ended: ', endings),
        ...prefixed('visitor: ', visitors.counts),
        ...prefixed('fault: ', faultCounts),
      },
    }
  })
}
