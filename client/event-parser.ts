/** Parsers of event data: a function of the text, or any schema that keeps to Standard Schema, given the text's JSON. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** @see https://standardschema.dev */
export type Parser<Output = unknown> =
  | ((data: string) => Output)
  | StandardSchemaV1<unknown, Output>

/** By event type. Types without a parser of their own are not listened to, but for `message`, whose data is the text. */
export type Parsers = Readonly<Record<string, Parser>>

/** Who lists no types hears messages, as text. */
export type MessagesOnly = Readonly<Record<'message', (data: string) => string>>

/** What a parser makes of an event's data. */
export type Parsed<P> =
  P extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : P extends (data: string) => infer Output
      ? Output
      : never

/** @throws whatever the parser throws, or an Error that tells what the schema finds wrong */
export function parseWith(parser: Parser, data: string): unknown {
  // Some schemas are functions too.
  if (!('~standard' in parser)) return parser(data)
  const result = parser['~standard'].validate(JSON.parse(data))
  if (result instanceof Promise)
    throw new TypeError('A schema for events must not be asynchronous.')
  if (!result.issues) return result.value
  throw new Error(result.issues.map(({ message }) => message).join('; '), { cause: result.issues })
}
