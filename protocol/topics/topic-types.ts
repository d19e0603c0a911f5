/** The types of defined topics: which topics and types there are, what a publisher passes, and what a reader gets. */
import type { Topics } from './define-topics'
import type { Schema, SchemaInput, SchemaOutput } from './schema'

/** The topics that `T` defines: `` `user.${string}` `` for the key `user.*`, and any string for `*`. */
export type TopicOf<T extends Topics> = TopicUnder<keyof T['definition']>

/** A topic of an app: one that it defines, or any. */
export type TopicName<T extends Topics | undefined> = T extends Topics ? TopicOf<T> : string

/** The types of events that can be published to the topic. Of several topics: the types that all of them have. */
export type TypeOf<T extends Topics, Topic extends string> = TypeUnder<
  keyof T['definition'][KeyOf<T['definition'], Topic>]
>

/** What a publisher passes as the data of an event. Of several topics or types: what fits all of them. */
export type InputOf<T extends Topics, Topic extends string, Type extends string> =
  Fitting<T['definition'], Topic, Type> extends (input: infer Input) => void ? Input : never

/**
 * The events of the topic, as a union to be narrowed by `key`, `topic` or `type`.
 * @typeParam Side Whether `data` is the output of its schema, as for readers that have the schemas, or its input.
 */
export type EventOf<
  T extends Topics,
  Topic extends string = TopicOf<T>,
  Side extends 'input' | 'output' = 'output',
> = Topic extends string
  ? EventUnder<
      T['definition'],
      KeyOf<T['definition'], Topic> | KeyWithin<T['definition'], Topic>,
      Topic,
      Side
    >
  : never

/** An event of a defined topic. */
export interface DefinedEvent<Key extends string, Topic extends string, Type extends string, Data> {
  /** The cursor of the event. */
  id: string
  /** The key of the definition that the topic belongs to, such as `user.*`. */
  key: Key
  topic: Topic
  type: Type
  data: Data
  /** When it was published: milliseconds since the Unix epoch, by the log's clock. */
  time: number
}

type TopicUnder<Key> = Key extends '*'
  ? string
  : Key extends `${infer Prefix}.*`
    ? `${Prefix}.${string}`
    : Key & string

type TypeUnder<Type> = Type extends '*' ? string : Type & string

/** The key that a topic belongs to: itself, its prefix, or `*`. */
type KeyOf<D, Topic extends string> = Topic extends keyof D ? Topic : PrefixOf<D, Topic>
type PrefixOf<
  D,
  Topic extends string,
  Head extends string = '',
> = Topic extends `${infer Next}.${infer Rest}`
  ? `${Head}${Next}.*` extends keyof D
    ? `${Head}${Next}.*`
    : PrefixOf<D, Rest, `${Head}${Next}.`>
  : '*' extends keyof D
    ? '*'
    : never

/** The keys of topics that a topic may turn out to be when it is not a literal: with `*`, a string may be any topic. */
type KeyWithin<D, Topic extends string> = keyof {
  [K in keyof D as TopicUnder<K> extends Topic ? K : never]: never
}

type SchemaOf<Schemas, Type> = Type extends keyof Schemas
  ? Schemas[Type]
  : '*' extends keyof Schemas
    ? Schemas['*']
    : never

/** A function for each topic and type. Their union takes the intersection of the inputs. */
type Fitting<D, Topic extends string, Type extends string> = Topic extends string
  ? Type extends string
    ? SchemaOf<D[KeyOf<D, Topic> & keyof D], Type> extends infer S extends Schema
      ? (input: SchemaInput<S>) => void
      : never
    : never
  : never

type EventUnder<D, Key, Topic extends string, Side> = Key extends keyof D & string
  ? {
      [Type in keyof D[Key] & string]: DefinedEvent<
        Key,
        Topic,
        TypeUnder<Type>,
        DataOf<D[Key][Type], Side>
      >
    }[keyof D[Key] & string]
  : never

type DataOf<S, Side> = S extends Schema
  ? Side extends 'input'
    ? SchemaInput<S>
    : SchemaOutput<S>
  : never
