/** Parsers of event data: a function, which gets the text, or any Standard Schema, which gets the parsed JSON. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** @see https://standardschema.dev */
export type Parser<Output = unknown> =
  | ((data: string) => Output)
  | StandardSchemaV1<unknown, Output>

/** Parsers by event type. A client listens to these types and to `message`. Without a parser, the data of `message` is its text. */
export type Parsers = Readonly<Record<string, Parser>>

/** Without `types`, a client receives only `message` events, as text. */
export type MessagesOnly = Readonly<Record<'message', (data: string) => string>>

/** The output type of a parser. */
export type Parsed<P> =
  P extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : P extends (data: string) => infer Output
      ? Output
      : never

/** @throws any error of the parser, or an Error with the issues of the schema */
export function parseWith(parser: Parser, data: string): unknown {
  // Some schemas are functions too.
  if (!('~standard' in parser)) return parser(data)
  const result = parser['~standard'].validate(JSON.parse(data))
  if (result instanceof Promise)
    throw new TypeError('A schema for events must not be asynchronous.')
  if (!result.issues) return result.value
  throw new Error(result.issues.map(({ message }) => message).join('; '), { cause: result.issues })
}
