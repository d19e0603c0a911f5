/**
 * Everything that exists once in a process, made from the configuration and handed on: the log and its hub, the open streams, the
 * limits, and what watches Node's own requests. `process.ts` keeps the one engine of the process.
 */
import { describeAccess } from './access/describe-access'
import type { TokenRules } from '@/server/access/tokens/token-access'
import { createTokenCheck } from '@/server/access/tokens/checked-tokens'
import { createKeySet } from '@/server/access/tokens/key-set'
import { createLimits, type Limits } from './access/limits'
import { readConfig, type Config } from './config'
import { createHub, type Hub } from './hub/hub'
import { LogError, type TopicLimits } from './log/event-log'
import { measuredLog } from './log/measured-log'
import { openLog } from './log/open-log'
import { drainOnSignals } from './node/drain-on-signal'
import { createFrontDoor, type FrontDoor } from './node/front-door'
import { mendUrl } from './node/mend-url'
import { createResponseSlots, type ResponseSlots } from './node/response-slots'
import { watchServerRequests } from './node/server-requests'
import { journal } from './observe/journal'
import { metrics } from './observe/metrics'
import { processState } from './process'
import {
  createPublishesUnderWay,
  type PublishesUnderWay,
} from '@/server/routes/body/publishes-under-way'
import { createUploadBudget, type UploadBudget } from '@/server/routes/body/upload-budget'
import { createForeignRuns, type ForeignRuns } from './runs/foreign-runs'
import { createRuns, type Runs } from './runs/runs'
import { createOpenStreams, type OpenStreams } from './stream/open-streams'

export interface Engine {
  readonly config: Config
  /** Who may read and publish where the app has no `authorize`. */
  readonly tokenRules: TokenRules
  readonly streams: OpenStreams
  readonly limits: Limits
  readonly uploads: UploadBudget
  readonly publishes: PublishesUnderWay
  readonly runs: Runs
  readonly foreignRuns: ForeignRuns
  readonly slots: ResponseSlots
  readonly door: FrontDoor
  /**
   * The hub, on the log that `EVENTS_URL` names. Opens the log when first called, and again after it could not be opened.
   * @throws {LogError} `unavailable`: a file can't be opened or written. A Redis may come later
   */
  hub: () => Promise<Hub>
  /** The hub, if it was opened. */
  readonly openHub: Hub | undefined
  /**
   * Watches the requests of this process's servers and its signals, once. `isEarly`: requests may have come before this call that
   * should not have been served yet.
   */
  watchServer: (options: { isEarly: boolean }) => void
  /** Tells the journal, and not again for the life of this process. */
  tellOnce: (line: string) => void
  /** Ends every stream, and closes the log. */
  close: () => Promise<void>
}

/**
 * The engine of this process, made from its environment when first asked for.
 * @throws {ConfigError} a variable can't be understood
 */
export function processEngine(): Engine {
  return (processState.engine ??= createEngine(readConfig(process.env)))
}

function createEngine(config: Config): Engine {
  const { heartbeatMs, retryMs, maxStreams, streamMaxAgeMs: maxAgeMs } = config
  const { jwtSecret: secret, jwksUrl, isOpen } = config
  const findKey = jwksUrl && createKeySet(jwksUrl)
  const checkToken = (secret ?? findKey) ? createTokenCheck({ secret, findKey }) : undefined
  const publicTopics = isOpen && config.publicTopics.length === 0 ? ['*'] : config.publicTopics
  const tokenRules = { checkToken, publicTopics, isOpen }
  const slots = createResponseSlots()
  const streams = createOpenStreams(
    { heartbeatMs, retryMs, maxStreams, maxAgeMs },
    slots.claimConnection,
    slots.outside,
  )
  const publishes = createPublishesUnderWay()
  // Written out, because Next replaces it in a build.
  const isBuilt = process.env.NODE_ENV === 'production'
  const door = createFrontDoor({
    setting: isBuilt && config.directLane ? config.frontDoor : 'off',
  })
  let opening: Promise<Hub> | undefined
  let openHub: Hub | undefined
  let lastFailure: string | undefined
  let isWatching = false
  const told = new Set<string>()

  async function open(): Promise<Hub> {
    const { eventsUrl, maxCount, maxAgeMs: maxEventAgeMs } = config
    const others = { maxCount, maxAgeMs: maxEventAgeMs }
    // The rules may come later than the log: `register` of instrumentation.ts opens it without them.
    const ownLimits = (topic: string): TopicLimits | undefined =>
      processState.keep?.limitsOf(topic, others)
    const log = await openLog(eventsUrl, { ...others, ownLimits })
    openHub = createHub(measuredLog(log))
    return openHub
  }

  /** Once for each reason: every request tries again, and its client learns only that the log is away. */
  function tellFailure(error: unknown): void {
    if (!(error instanceof LogError) || error.message === lastFailure) return
    lastFailure = error.message
    journal.error({ err: error }, error.message)
  }

  async function openedHub(): Promise<Hub> {
    const attempt = (opening ??= slots.outside(open))
    try {
      return await attempt
    } catch (error) {
      // Another caller may have begun the next attempt.
      if (opening === attempt) opening = undefined
      tellFailure(error)
      throw error
    }
  }

  const runs = createRuns({
    openLog: async () => (await openedHub()).log,
    openedLog: () => openHub?.log,
    // Redis appends while the hub reads: it would stand idle while one waits for the other.
    ...(config.eventsUrl.engine !== 'redis' && {
      untilWoken: async (offset: number) => await openHub?.untilWoken(offset),
    }),
    limits: { eventMaxBytes: config.eventMaxBytes },
  })

  return {
    config,
    tokenRules,
    streams,
    limits: createLimits({ streams: config.limitStreams, publishesPerMinute: config.limitPublish }),
    uploads: createUploadBudget(),
    publishes,
    runs,
    foreignRuns: createForeignRuns({ eventMaxBytes: config.eventMaxBytes }),
    slots,
    door,
    hub: openedHub,
    get openHub() {
      return openHub
    },
    watchServer({ isEarly }) {
      if (isWatching) return
      isWatching = true
      metrics.measureProcess()
      slots.begin({ isEarly })
      runs.watch()
      const { stallMs, trustedProxies, drainMs, drainRunsMs } = config
      const onStopped = streams.refuse
      const requests = watchServerRequests({
        stallMs,
        trustedProxies,
        slots,
        door,
        mendUrl,
        onStopped,
      })
      drainOnSignals({
        drainMs,
        drainStreams: streams.drain,
        drainRuns: () => runs.drain(drainRunsMs),
        publishesDone: publishes.done,
        closeIdleConnections: requests.closeIdleConnections,
      })
      const words = describeAccess(tokenRules)
      if (!checkToken) journal.warn(words)
      else journal.info(words)
    },
    tellOnce(line) {
      if (told.has(line)) return
      told.add(line)
      journal.info(line)
    },
    async close() {
      await streams.drain(0)
      await runs.drain(0)
      await (await opening)?.close()
    },
  }
}
