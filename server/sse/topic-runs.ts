/** Runs of a server object: those of the process, with the topics that the app has defined. */
import type { Topics } from '@/protocol/topics/define-topics'
import type { NewEvent } from '@/protocol/event'
import type { TopicName, TopicOf } from '@/protocol/topics/topic-types'
import { processEngine } from '@/server/engine'
import { checkEvents } from '@/server/hub/check-events'
import { keepsLatest } from '@/server/keep'
import type { RunSource } from '@/server/runs/local-run'
import { RunError } from '@/server/runs/run-error'
import type { RunInfo, RunOptions, StartedRun, StopOptions } from '@/server/runs/runs'
import type { NewEventOf } from './topic-publisher'

/** `sse.run` of an app that defines no topics. */
export type Run = (topic: string, source: RunSource, options?: RunOptions) => Promise<StartedRun>

/** `sse.run` of an app that defines its topics. */
export type RunDefined<T extends Topics> = <const Topic extends TopicOf<T>>(
  topic: Topic,
  source: RunSource<NewEventOf<T, Topic>>,
  options?: RunOptions,
) => Promise<StartedRun>

export interface TopicRuns<T extends Topics | undefined = undefined> {
  /**
   * Begins a run: long work whose values are events of the topic, such as an AI answer or an import. Resolves once it has begun; the work
   * goes on in this process, whether anybody watches or not. Does not check permissions.
   *
   * When another run of the topic lives, it is joined: see `onLiving`. A source that throws makes the run `failed`; what the error said
   * goes to the journal.
   *
   * @throws {RunError} `run-living`: another run lives, and `onLiving` is `refuse`. `invalid-id`. `latest-topic`: the topic keeps its newest event alone
   * @throws {PublishError} `invalid-topic`, or `unknown-topic` where the app has defined its topics
   * @throws {LogError} `busy`, `unavailable` or `closed`
   *
   * @example
   * await sse.run('import.42', async function* ({ signal }) {
   *   for (const [index, row] of rows.entries()) {
   *     signal.throwIfAborted()
   *     await insert(row)
   *     yield { type: 'progress', data: { done: index + 1, total: rows.length } }
   *   }
   * })
   */
  run: T extends Topics ? RunDefined<T> : Run
  /**
   * Stops the living run of the topic, in whichever process it is produced: aborts the signal of its source. Resolves with the run as it
   * stands, without waiting for its end. A run that has not begun yet, named by its id, is stopped when it begins within 15 s. Does not
   * check permissions.
   *
   * @throws {RunError} `invalid-id`
   * @throws {PublishError} `invalid-topic`
   * @throws {LogError} `busy`, `unavailable` or `closed`
   */
  stop: (topic: TopicName<T>, options?: Pick<StopOptions, 'id'>) => Promise<RunInfo | undefined>
  /**
   * The run of the topic that began last. Undefined when there was none, or it is forgotten, seven days after its events.
   *
   * @throws {PublishError} `invalid-topic`
   * @throws {LogError} `unavailable` or `closed`
   */
  runOf: (topic: TopicName<T>) => Promise<RunInfo | undefined>
}

/** What a run yields must be defined, as what is published; the events of the run itself are not. */
export function createTopicRuns<T extends Topics | undefined>(topics: T | undefined): TopicRuns<T> {
  const runs: TopicRuns = {
    async run(topic, source, options) {
      const engine = processEngine()
      // Even where no route was asked yet: a process that is told to stop waits for its runs.
      if (process.env['NEXT_RUNTIME'] === 'nodejs') engine.watchServer({ isEarly: false })
      const check = topics && ((events: readonly NewEvent[]) => checkEvents(topics, topic, events))
      await check?.([])
      if (keepsLatest(topic, engine.config)) {
        const detail = '`keep` says that it keeps its newest event alone.'
        throw new RunError('latest-topic', `${topic} can’t have runs: ${detail}`)
      }
      return await engine.runs.run(topic, source, options, check)
    },
    stop: async (topic, { id } = {}) => await processEngine().runs.stop(topic, { id }),
    runOf: async (topic) => await processEngine().runs.find(topic),
  }
  return runs as unknown as TopicRuns<T>
}
