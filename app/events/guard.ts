/** Who may do what on both routes, as the configuration has it. */
import { clientOf } from '@/server/access/client-address'
import { allowedOrigin, preflightResponse, shareWith } from '@/server/access/cors'
import { isCrossSite } from '@/server/access/cross-site'
import { processLimits, type Limits } from '@/server/access/limits'
import { config } from '@/server/config'

/** Lets pages of the origins allowed read `response`. */
export function shared(request: Request, response: Response): Response {
  return shareWith(config().corsOrigins, request, response)
}

export function answerOptions(request: Request, methods: string): Response {
  return preflightResponse(config().corsOrigins, request, methods)
}

/** True when a browser sends the request for a page that is neither ours nor of an origin allowed. */
export function isForeign(request: Request): boolean {
  return isCrossSite(request) && allowedOrigin(request, config().corsOrigins) === undefined
}

/** Counts a stream of the client, until what it returns is called; undefined when the client has all it may have. */
export function openStreamOf(request: Request): (() => void) | undefined {
  return limits().openStream(clientOf(request, config().trustedProxies))
}

/** Counts a publish without a token. Undefined when the client may, else after how many seconds it may again. */
export function takePublishOf(request: Request): Promise<number | undefined> {
  return limits().takePublish(clientOf(request, config().trustedProxies))
}

function limits(): Limits {
  const { limitStreams, limitPublish } = config()
  return processLimits({ streams: limitStreams, publishesPerMinute: limitPublish })
}
