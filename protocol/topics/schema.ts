/**
 * Schemas of events: any Standard Schema. A schema describes the JSON text of an event: its input is what `JSON.parse` returns, and its
 * output is what readers get.
 * @see https://standardschema.dev
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'

export type Schema<Input = unknown, Output = unknown> = StandardSchemaV1<Input, Output>

/** What goes into a schema. Taken from its property: the compiler is several times slower with `extends Schema<infer Input>`. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>

/** What comes out of a schema. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** Any value that JSON can represent. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** What does not fit, and where. Never has the value itself, except in a message of the schema's own. */
export interface SchemaIssue {
  /** The keys that lead to the value; empty for the value as a whole. */
  path: readonly (string | number)[]
  message: string
}

/** The text is not JSON, or does not fit its schema. */
export class SchemaError extends Error {
  override name = 'SchemaError'
  /** At most 20. Empty when the text is not JSON. */
  readonly issues: readonly SchemaIssue[]

  constructor(issues: readonly SchemaIssue[], options?: ErrorOptions) {
    super(
      issues.length > 0 ? issues.map(describeIssue).join('; ') : 'The data is not JSON.',
      options,
    )
    this.issues = issues
  }
}

/** The schema answered with a Promise. Events are read one after another, so a schema must answer at once. */
export class AsyncSchemaError extends TypeError {
  override name = 'AsyncSchemaError'
  /** Zod answers with a Promise when a schema throws, too: then this one rejects. A rejection that nobody handles is harmless. */
  readonly answer: PromiseLike<unknown>

  constructor(answer: PromiseLike<unknown>) {
    super('A schema for events must not be asynchronous.')
    this.answer = answer
    answer.then(undefined, () => {})
  }
}

/** A value with many faults would otherwise have an error of any length. */
const maxIssues = 20
const maxMessageLength = 300

/**
 * Stands for any JSON value: nothing is checked, and readers get what was published. With a type parameter the value has that type,
 * because you say so.
 *
 * @example
 * defineTopics({ orders: { 'order.paid': json<{ id: string; amount: number }>(), note: json() } })
 */
export function json(): Schema<JsonValue, JsonValue>
export function json<Value>(): Schema<Value, Value>
export function json(): Schema {
  return { '~standard': { version: 1, vendor: 'next-sse', validate: (value) => ({ value }) } }
}

const textVendor = 'next-sse text'

/**
 * Stands for any text, JSON or not: nothing is checked, and `data` is the text of the event. For topics that people publish to by hand,
 * as with `curl -d hello`.
 *
 * @example
 * defineTopics({ orders: { 'order.paid': orderSchema }, '*': { '*': text() } })
 */
export function text(): Schema<JsonValue, string> {
  return {
    '~standard': {
      version: 1,
      vendor: textVendor,
      validate: (value) => ({ value: String(value) }),
    },
  }
}

/**
 * Parses the text of an event with its schema. Returns the schema's output.
 * @throws {SchemaError} the text is not JSON, or does not fit the schema
 * @throws {AsyncSchemaError} the schema returns a Promise
 * @throws whatever the schema throws
 */
export function parseText(schema: Schema, data: string): unknown {
  if (schema['~standard'].vendor === textVendor) return data
  const value = parseJson(data)
  const result = schema['~standard'].validate(value)
  if ('then' in result) throw new AsyncSchemaError(result)
  if (!result.issues) return result.value
  // Copies first: ArkType's arrays have constructors of their own, which `slice` and `map` would call.
  const issues = [...result.issues].slice(0, maxIssues).map((issue) => toIssue(issue, value))
  throw new SchemaError(issues, { cause: result.issues })
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new SchemaError([], { cause })
  }
}

function toIssue({ message, path = [] }: StandardSchemaV1.Issue, value: unknown): SchemaIssue {
  const keys = [...path].map((step) => {
    const key = typeof step === 'object' ? step.key : step
    return typeof key === 'symbol' ? String(key) : key
  })
  return { path: keys, message: withoutValue(message, at(value, keys)).slice(0, maxMessageLength) }
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  )
}

/** Valibot and ArkType repeat the value in their messages. Issues are sent and logged, and the value may be a secret. */
function withoutValue(message: string, value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).slice(0, maxIssues).reduce<string>(withoutValue, message)
  }
  const shown = String(value)
  if (value === undefined || value === null || shown === '') return message
  if (typeof value !== 'string') return message.replaceAll(shown, '…')
  // A short text could be part of any word.
  const quoted = JSON.stringify(shown)
  const forms = shown.length < 8 ? [quoted, `'${shown}'`] : [quoted, shown]
  return forms.reduce((rest, form) => rest.replaceAll(form, '…'), message)
}

function describeIssue({ path, message }: SchemaIssue): string {
  return path.length > 0 ? `${path.join('.')}: ${message}` : message
}
