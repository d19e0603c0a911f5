/** One run: servers on one log, proxies that make trouble, readers, publishers and faults; then the judgement. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAccessProbes } from './access-probes'
import { createAuditor } from './auditor'
import { startChaosProxy } from './chaos-proxy'
import { awaitMarkers } from './await-markers'
import { withClosing } from './closing'
import { createCluster } from './cluster'
import { prefixed, sumOf } from './counts'
import { allFaults, runFaults } from './faults/run-faults'
import { judge } from './judge/judge'
import type { Violation, ViolationKind } from './judge/violation'
import { createLedger } from './ledger'
import { plantFault, type PlantedKind } from './planted-fault'
import { startPopulation } from './population'
import { startPublishers } from './publishers'
import { createRandom } from './random'
import { offsetOf, type Life, type PublishedEvent, type Run } from './record'
import { allTopics, bulkyTopics, limits, serverEnv, sleep, type Engine } from './setting'
import { openStorage } from './storage'

export interface CheckerOptions {
  engine: Engine
  seconds: number
  seed: number
  servers: number
  readers: number
  /** Default true. */
  hasFaults: boolean
  planted: PlantedKind | undefined
  /** Ends the run at once, without a judgement. */
  signal: AbortSignal
  say: (line: string) => void
}

export interface Outcome {
  violations: Violation[]
  /** Figures of the run, by name. */
  counts: Record<string, number>
}

const requestsPerSecond = 40

export function check(options: CheckerOptions): Promise<Outcome> {
  const { engine, seconds, signal, say } = options
  return withClosing(signal, async (closing) => {
    const random = createRandom(options.seed)
    const found: Violation[] = []
    const note = (kind: ViolationKind) => (message: string) =>
      void found.push({ kind, at: Date.now(), message, context: [] })
    const ledger = createLedger()
    const storage = await openStorage(engine, say)
    closing.push(storage.close)
    const clockFolder = mkdtempSync(join(tmpdir(), 'checker-'))
    closing.push(() => rmSync(clockFolder, { recursive: true }))
    const clockFile = join(clockFolder, 'clock')
    const setClock = (offsetMs: number): void => writeFileSync(clockFile, String(offsetMs))
    setClock(0)

    const env = { ...serverEnv, EVENTS_URL: storage.url, CHECKER_CLOCK: clockFile }
    const cluster = await createCluster(options.servers, env, note('wrong-answer'))
    closing.push(cluster.close)
    await cluster.startAll()
    const { planted } = options
    if (planted === 'unheard') throw new Error('That fault is for --sessions.')
    const ports = planted === undefined ? cluster.ports : await plant(planted)
    const proxies = await Promise.all(
      ports.map((_, index) => startChaosProxy(ports, index, random.fork(`proxy ${index}`))),
    )
    closing.push(...proxies.map(({ close }) => close))
    const origins = proxies.map(({ url }) => url)

    async function plant(kind: Parameters<typeof plantFault>[0]): Promise<number[]> {
      const faulty = await Promise.all(cluster.ports.map((port) => plantFault(kind, port)))
      closing.push(...faulty.map(({ close }) => close))
      return faulty.map(({ port }) => port)
    }

    const onRefused = note('wrong-answer')
    const population = startPopulation({
      count: options.readers,
      origins,
      ledger,
      random: random.fork('readers'),
      onRefused,
    })
    closing.push(population.stop)
    const publishers = startPublishers({
      origins,
      topics: allTopics.filter((topic) => !bulkyTopics.includes(topic)),
      ledger,
      random: random.fork('publishers'),
      requestsPerSecond,
      onWrongAnswer: note('wrong-answer'),
    })
    closing.push(publishers.stop)
    const probes = startAccessProbes(origins, random.fork('probes'), note('wrong-reader'))
    closing.push(probes.stop)

    const lives: Life[] = [{ startedAt: 0, resumedAt: 0, base: 0 }]
    const clockJumps: Run['clockJumps'][number][] = []
    const faultCounts = new Map<string, number>()

    const auditor = createAuditor(cluster, storage, ledger)
    const endsAt = Date.now() + seconds * 1_000
    const isOver = (): boolean => Date.now() >= endsAt
    const progress = setInterval(() => {
      const { acknowledged } = publishers.counts
      say(`${acknowledged} events acknowledged, ${population.counts.deliveries} deliveries`)
    }, 60_000)
    closing.push(() => clearInterval(progress))
    const context = {
      random: random.fork('faults'),
      cluster,
      storage,
      publishers,
      lives,
      clockJumps,
      setClock,
      audit: auditor.audit,
    }
    if (options.hasFaults) await runFaults(allFaults(), context, faultCounts, isOver, say)
    while (!isOver()) await sleep(100)

    say('The faults are over. Readers catch up.')
    for (const index of cluster.ports.keys()) {
      if (!cluster.isRunning(index)) await cluster.start(index)
    }
    await publishers.pause()
    for (const proxy of proxies) proxy.calmDown()
    population.calmDown()
    const markers: PublishedEvent[] = []
    for (const topic of allTopics) markers.push(await publishers.publishSurely(topic))
    await awaitMarkers(population.records, markers)
    const lastId = markers.at(-1)?.attempts.at(-1)?.id ?? ''
    await auditor.audit(offsetOf(lastId))
    population.stop()

    const readers = [...population.records, ...auditor.records]
    const { events, sightings } = ledger
    found.push(...judge({ limits, lives, clockJumps, events, sightings, readers, markers }))
    return {
      violations: found.toSorted((one, other) => one.at - other.at),
      counts: {
        'events acknowledged': publishers.counts.acknowledged,
        'publish requests': publishers.counts.requests,
        'publish requests without an answer': publishers.counts.unknown,
        'publish requests answered 503': publishers.counts.refused,
        'publish requests sent again': publishers.counts.again,
        readers: readers.length,
        deliveries: population.counts.deliveries,
        'streams opened': population.counts.connections,
        'connections cut': sumOf(proxies.map(({ counts }) => counts.cuts)),
        'connections held up': sumOf(proxies.map(({ counts }) => counts.pauses)),
        'forbidden requests refused': probes.counts.refused,
        'losses of the log': lives.length - 1,
        ...prefixed('resync ', population.counts.resyncs),
        ...prefixed('fault: ', faultCounts),
      },
    }
  })
}
