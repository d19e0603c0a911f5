/** Parsers of event data: a function, which gets the text, or any Standard Schema, which gets the text's JSON. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** @see https://standardschema.dev */
export type Parser<Output = unknown> =
  | ((data: string) => Output)
  | StandardSchemaV1<unknown, Output>

/** By event type. A client listens to these types and to `message`, whose data is the text unless it has a parser. */
export type Parsers = Readonly<Record<string, Parser>>

/** Without a list of types a client hears messages, as text. */
export type MessagesOnly = Readonly<Record<'message', (data: string) => string>>

/** What a parser makes of an event's data. */
export type Parsed<P> =
  P extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : P extends (data: string) => infer Output
      ? Output
      : never

/** @throws whatever the parser throws, or an Error with the issues that the schema found */
export function parseWith(parser: Parser, data: string): unknown {
  // Some schemas are functions too.
  if (!('~standard' in parser)) return parser(data)
  const result = parser['~standard'].validate(JSON.parse(data))
  if (result instanceof Promise)
    throw new TypeError('A schema for events must not be asynchronous.')
  if (!result.issues) return result.value
  throw new Error(result.issues.map(({ message }) => message).join('; '), { cause: result.issues })
}
