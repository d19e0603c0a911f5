import type { StoredEvent } from '@/protocol/event'
import { parseJsonObject } from '@/protocol/json'

/** Which events a stream wants, and how each of them is encoded. */
export interface Selection {
  readonly topics: readonly string[]
  /** True: every event is a `message` whose data is one line of JSON, `{topic, key, type, time, data}`. */
  readonly envelope: boolean
  /** The key of a topic's definition, for an envelope: `user.*` for `user.42`. Has only topics that are not their own key. */
  readonly keys: ReadonlyMap<string, string>
  /** The run with whose end the stream ends. Undefined: it never ends. */
  readonly span?: Span | undefined
  /** Equal for two selections of the same topics and encoding. */
  readonly name: string
}

/** The events of a run. */
export interface Span {
  readonly run: string
  /** The offset of the last one, once it is known. */
  last: number | undefined
}

const noKeys: ReadonlyMap<string, string> = new Map()

export function createSelection(
  topics: readonly string[],
  envelope: boolean,
  keys = noKeys,
  span?: Span,
): Selection {
  const name = `${envelope} ${topics.join()} ${[...keys.values()].join()}`
  return { topics, envelope, keys, span, name }
}

/** Equal for two selections that take the same frames now. */
export function framesKeyOf({ name, span }: Selection): string {
  return span ? `${name} ${span.run} ${span.last ?? ''}` : name
}

/** Whether the event comes after the end of the run. */
export function isBeyond(span: Span | undefined, { offset }: StoredEvent): boolean {
  return span?.last !== undefined && offset > span.last
}

/** Whether the event is the end of the run. */
export function isEndOf(span: Span | undefined, { type, data }: StoredEvent): boolean {
  return span !== undefined && type === 'run.end' && parseJsonObject(data)?.['run'] === span.run
}
