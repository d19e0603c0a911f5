/**
 * What a route of the Edge runtime gets in place of `next-sse`. It has the same names: if one were missing, the bundler would complain of
 * that instead.
 */
import type * as library from './index'

export const {
  byToken,
  ConfigError,
  createSse,
  DisconnectError,
  EventsLostError,
  LogError,
  parseCursor,
  PublishError,
  ReadError,
  Refusal,
  RunError,
} = refuse()

function refuse(): typeof library {
  throw new Error(
    'next-sse needs the Node.js runtime: remove `export const runtime = "edge"` from the route that imports it.',
  )
}
