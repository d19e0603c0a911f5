'use client'
/** Hooks for the defined topics of an app: their events are typed, and read by their schemas where the page has them. */
import type { ReadValue, RunEvent } from '@/client/run-view'
import type { Topics } from '@/protocol/topics/define-topics'
import { readDefined } from '@/protocol/topics/read-defined'
import { isRunType } from '@/protocol/run'
import type { EventOf, TopicOf } from '@/protocol/topics/topic-types'
import { UnreadableEventError } from '@/protocol/unreadable-event'
import { useRefresh, type RefreshOptions, type RefreshState } from './use-refresh'
import { useReadRun, type UseRun, type UseRunOptions } from './use-run'
import {
  parseEnvelope,
  useParsedTopics,
  type EnvelopeParsers,
  type ParsedOptions,
  type TopicEvent,
  type UseTopics,
  type UseTopicsOptions,
} from './use-topics'

export interface HooksOptions {
  /** As in `useTopics`: where the topic route is mounted. Default `/events`. */
  path?: string | undefined
}

/** An event of a defined topic, as it was received. */
export type ReceivedEventOf<
  T extends Topics,
  Topic extends string = TopicOf<T>,
  Side extends 'input' | 'output' = 'output',
> = EventOf<T, Topic, Side> & Pick<TopicEvent, 'seq' | 'receivedAt'>

/** A value of a run of a defined topic. */
export type RunEventOf<
  T extends Topics,
  Topic extends string = TopicOf<T>,
  Side extends 'input' | 'output' = 'output',
> = RunEventFrom<EventOf<T, Topic, Side>>

type RunEventFrom<Event> = Event extends { type: infer Type extends string; data: infer Data }
  ? RunEvent<Data, Type>
  : never

export interface Hooks<T extends Topics, Side extends 'input' | 'output'> {
  /**
   * `useTopics` for defined topics. Events that can't be read are not in `events`: `onError` hears of each, and `unreadable` counts them.
   * Events that say how a run stands are left out.
   */
  useTopics: <const Topic extends TopicOf<T>, Reduced = undefined>(
    topics: readonly Topic[],
    options?: UseTopicsOptions<Reduced, ReceivedEventOf<T, Topic, Side>>,
  ) => UseTopics<Reduced, ReceivedEventOf<T, Topic, Side>>
  /** `useRefresh` for defined topics. */
  useRefresh: (
    topics: readonly TopicOf<T>[],
    refresh: () => unknown,
    options?: RefreshOptions,
  ) => RefreshState
  /**
   * `useRun` for a defined topic. With the schemas, values that can't be read are not in `events`: `onError` hears of each, and
   * `unreadable` counts them.
   */
  useRun: <const Topic extends TopicOf<T>>(
    topic: Topic,
    options?: UseRunOptions,
  ) => UseRun<unknown, RunEventOf<T, Topic, Side>>
}

/**
 * Makes hooks that read events by their schemas: an event that does not fit is left out, and `data` is the output of its schema. The page
 * loads the schemas and their library.
 *
 * @example
 * // hooks.ts
 * 'use client'
 * export const { useTopics, useRefresh, useRun } = createHooks(topics)
 */
export function createHooks<T extends Topics>(topics: T, options?: HooksOptions): Hooks<T, 'output'>
/**
 * Makes hooks that know only the types of the topics: `data` is the input of its schema, unchecked. The page loads no schemas, if you import the topics by
 * `import type`.
 *
 * @example
 * // hooks.ts
 * 'use client'
 * export const { useTopics, useRefresh, useRun } = createHooks<typeof topics>()
 */
export function createHooks<T extends Topics>(options?: HooksOptions): Hooks<T, 'input'>
export function createHooks(
  topicsOrOptions: Topics | HooksOptions = {},
  ofTopics?: HooksOptions,
): Hooks<Topics, 'input' | 'output'> {
  const topics = 'definition' in topicsOrOptions ? topicsOrOptions : undefined
  const { path } = (topics ? ofTopics : (topicsOrOptions as HooksOptions)) ?? {}
  const parsers: EnvelopeParsers = { message: (text) => read(text, topics) }
  return {
    useTopics(names, options) {
      const withPath = { ...options, path: options?.path ?? path }
      return useParsedTopics(names, withPath as ParsedOptions<never>, parsers) as UseTopics<
        never,
        never
      >
    },
    useRefresh(names, refresh, options) {
      return useRefresh(names, refresh, { ...options, path: options?.path ?? path })
    },
    useRun(topic, options) {
      const withPath = { ...options, path: options?.path ?? path }
      const readValue: ReadValue | undefined =
        topics && ((value) => readChecked(topics, { topic, ...value }).data)
      return useReadRun(topic, withPath, readValue) as UseRun<unknown, never>
    },
  }
}

/** @throws {UnreadableEventError} */
function read(text: string, topics: Topics | undefined): TopicEvent<unknown> | undefined {
  const event = parseEnvelope(text)
  if (!event || isRunType(event.type)) return undefined
  return Object.assign(event, topics ? readChecked(topics, event) : readUnchecked(event))
}

function readChecked(
  topics: Topics,
  event: { topic: string; type: string; data: string },
): { key: string; data: unknown } {
  try {
    return readDefined(topics, event)
  } catch (error) {
    if (error instanceof UnreadableEventError) error.message += afterDeploy
    throw error
  }
}

function readUnchecked(event: TopicEvent & { key?: string }): { key: string; data: unknown } {
  try {
    // The server names the key of a topic that is not its own.
    return { key: event.key ?? event.topic, data: JSON.parse(event.data) as unknown }
  } catch (cause) {
    throw new UnreadableEventError(event, `its data is not JSON.${afterDeploy}`, cause)
  }
}

/** The usual reason in a browser, and its remedy. */
const afterDeploy = ' If the app was deployed after this page was loaded, reload the page.'
