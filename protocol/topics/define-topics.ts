/** Defines which topics an app has, which types of events each topic carries, and what the events of a type look like. */
import { isReservedType, type ReservedType } from '@/protocol/control-events'
import { isPublishableType } from '@/protocol/event'
import type { Schema, SchemaInput } from './schema'
import { isTopicPattern, prefixesOf } from './topic-pattern'

/** Schemas by topic and type. A key of the outer object is a topic, `prefix.*` or `*`; a key of an inner object is a type or `*`. */
export type TopicDefinition = Readonly<Record<string, Readonly<Record<string, Schema>>>>

/** The defined topics of an app, made by `defineTopics`. */
export interface Topics<D extends TopicDefinition = TopicDefinition> {
  /** The schemas, by topic and type. */
  readonly definition: D
}

/**
 * Defines topics, their types of events, and a schema for each type. A key of the definition is a topic, or `prefix.*` for all topics
 * that begin with `prefix.`. Other topics, and types that a topic does not list, can't be published or read. To leave topics open, define
 * `'*'`: it stands for all topics that no other key matches. The type `'*'` does the same for the types of a topic.
 *
 * A schema is any Standard Schema, for example of Zod, Valibot or ArkType. It describes the JSON text of an event, so its input must be
 * JSON: no `Date`, no `unknown`. Without a library, `json()` stands for any value.
 *
 * @throws {Error} a key or a type is malformed or reserved, or two keys overlap
 *
 * @example
 * // topics.ts
 * export const topics = defineTopics({
 *   orders: { 'order.paid': z.object({ id: z.string(), amount: z.number() }) },
 *   'user.*': { bell: z.object({ from: z.string() }) },
 * })
 */
export function defineTopics<const D extends TopicDefinition>(
  definition: D & CheckedDefinition<D>,
): Topics<D> {
  const keys = Object.keys(definition)
  for (const key of keys) {
    if (!isTopicPattern(key)) {
      throw new Error(`defineTopics: ${JSON.stringify(key)} must be a topic, prefix.* or *.`)
    }
    const wider = prefixesOf(key).find((prefix) => prefix !== key && keys.includes(prefix))
    if (wider !== undefined) {
      throw new Error(`defineTopics: ${key} overlaps ${wider}. Remove or rename one of them.`)
    }
    for (const type of Object.keys(definition[key] ?? {})) checkType(key, type)
  }
  return { definition }
}

function checkType(key: string, type: string): void {
  if (isReservedType(type) || type.startsWith('run.')) {
    throw new Error(`defineTopics: the type ${type} of ${key} is reserved. Choose another.`)
  }
  if (type !== '*' && !isPublishableType(type)) {
    throw new Error(`defineTopics: ${JSON.stringify(type)} of ${key} is not an event type.`)
  }
}

/** The key that defines the topic, or undefined. Keys don't overlap, so there is at most one besides `*`. */
export function keyOf({ definition }: Topics, topic: string): string | undefined {
  if (Object.hasOwn(definition, topic)) return topic
  return [...prefixesOf(topic), '*'].find((key) => Object.hasOwn(definition, key))
}

/** The schema of the type under the key, or undefined when the key does not list the type. */
export function schemaOf({ definition }: Topics, key: string, type: string): Schema | undefined {
  const schemas = definition[key] ?? {}
  if (Object.hasOwn(schemas, type)) return schemas[type]
  return Object.hasOwn(schemas, '*') ? schemas['*'] : undefined
}

/** The definition itself where it is valid. Elsewhere a sentence that says what is wrong, so that the compiler shows it. */
type CheckedDefinition<D> = {
  readonly [K in keyof D]: [Wider<D, K>] extends [never]
    ? { readonly [E in keyof D[K]]: CheckedSchema<E, D[K][E]> }
    : `${K & string} overlaps ${Wider<D, K>}: remove or rename one of them.`
}

/** The keys that contain the key `K`, such as `user.*` for `user.me`. */
type Wider<D, K> = K extends `${infer Head}.${infer Rest}` ? WiderFrom<D, K, Head, Rest> : never
type WiderFrom<D, K, Head extends string, Rest extends string> =
  | Exclude<Extract<keyof D, `${Head}.*`>, K>
  | (Rest extends `${infer Next}.${infer Last}` ? WiderFrom<D, K, `${Head}.${Next}`, Last> : never)

type CheckedSchema<E, S> = E extends ReservedType | `run.${string}`
  ? `The type ${E} is reserved: choose another.`
  : S extends Schema
    ? IsJson<SchemaInput<S>> extends true
      ? S
      : 'The input of this schema is not JSON. Describe the JSON text: a date is a string. json() stands for any value.'
    : never

/** Most inputs are quickly found to be JSON. An interface is not, because it has no index signature. */
type IsJson<T> = unknown extends T
  ? false
  : [T] extends [JsonInput]
    ? true
    : [T] extends [AsJson<T>]
      ? true
      : false

/** `JSON.stringify` leaves out a property that is undefined. */
type JsonInput =
  | JsonPrimitive
  | readonly JsonInput[]
  | { readonly [key: string]: JsonInput | undefined }

/**
 * `T`, with `never` in place of all that JSON can't represent. `unknown` could be a `Date`, which arrives as a string. Compares with a
 * copy instead of recursing to a boolean, so that recursive types end.
 */
type AsJson<T> = unknown extends T
  ? never
  : T extends JsonPrimitive
    ? T
    : T extends NotJson
      ? never
      : T extends readonly (infer Item)[]
        ? readonly AsJson<Item>[]
        : { [K in keyof T]: T[K] extends infer V ? (V extends undefined ? V : AsJson<V>) : never }
type JsonPrimitive = string | number | boolean | null
type NotJson = undefined | bigint | symbol | ((...args: never) => unknown)
