/** The configuration, read from environment variables. Every variable is listed in .env.example; none is needed. */
import { parseDuration } from '@/protocol/duration'
import { isTopicPattern } from '@/protocol/topics/topic-pattern'
import type { LogAddress } from './log/open-log'
import type { RedisAddress } from './log/redis/redis-connection'
import type { FrontDoorSetting } from './node/front-door'

export interface Config {
  /** Where events are kept. `EVENTS_URL`, default `file:.data/events.db`. */
  eventsUrl: LogAddress
  /** How many events of a topic are kept. `EVENTS_MAX_COUNT`, default 100,000. */
  maxCount: number
  /** How long they are kept, in milliseconds. `EVENTS_MAX_AGE`, default 24 h. */
  maxAgeMs: number
  /** The largest event that may be published. `EVENT_MAX_BYTES`, default 65,536. */
  eventMaxBytes: number
  /** A silent stream sends a `ping` after this long. `HEARTBEAT`, default 15 s. */
  heartbeatMs: number
  /** A stream whose reader takes nothing for this long is closed. `STALL`, default 60 s. */
  stallMs: number
  /** What a browser is told to wait before it reconnects by itself, before jitter. `RETRY`, default 2 s. */
  retryMs: number
  /** How many streams this process sends at once. `MAX_STREAMS`, default 10,000. */
  maxStreams: number
  /** A stream is asked to come back after 0.8 to 1 times this long, in milliseconds. `STREAM_MAX_AGE`, default off: undefined. */
  streamMaxAgeMs: number | undefined
  /** Over how long the streams are asked to leave before the process stops, in milliseconds. `DRAIN`, default 5 s. */
  drainMs: number
  /** How long the runs of this process may go on before it stops, in milliseconds. `DRAIN_RUNS`, default 5 s. */
  drainRunsMs: number
  /** What tokens are signed with, by HS256. `EVENTS_JWT_SECRET`, none by default: then no token is accepted. */
  jwtSecret: string | undefined
  /** Where the public keys are with which tokens are signed by asymmetric algorithms. `EVENTS_JWKS_URL`, none by default. */
  jwksUrl: URL | undefined
  /** Patterns of the topics that anyone may read. `PUBLIC_TOPICS`, none by default. */
  publicTopics: readonly string[]
  /** True without a secret and keys, and never in production: then anyone may publish, and read every topic if `PUBLIC_TOPICS` names none. */
  isOpen: boolean
  /** The other origins whose pages may read and publish. `CORS_ORIGINS`, none by default. */
  corsOrigins: readonly string[]
  /** How many streams a client may have open; 0 for any number. `LIMIT_STREAMS`, default 100. */
  limitStreams: number
  /** How often a client without a token may ask to publish in a minute; 0 for any number. `LIMIT_PUBLISH`, default 0 where anyone may publish, else 60. */
  limitPublish: number
  /** How many proxies of ours are in front, whose `X-Forwarded-For` is to be believed. `TRUST_PROXY`, default 0. */
  trustedProxies: number
  /** Whether streams go straight to Node's response: see node/direct-write.ts. `DIRECT_LANE`, default on. */
  directLane: boolean
  /** Where topics may be answered before Next sees the request: see node/front-door.ts. `FRONT_DOOR`, default auto. */
  frontDoor: FrontDoorSetting
}

/** A variable that can't be understood; the message names it and says what it should look like. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

type Environment = Readonly<Record<string, string | undefined>>

/** @throws {ConfigError} */
export function readConfig(env: Environment): Config {
  const heartbeatMs = readTimer(env, 'HEARTBEAT', '15s')
  const stallMs = readTimer(env, 'STALL', '60s')
  // A healthy stream moves its socket only as often as it pings.
  if (stallMs < 2 * heartbeatMs) {
    throw new ConfigError('STALL must be at least twice HEARTBEAT, or healthy streams are closed.')
  }
  const jwtSecret = readSecret(env)
  // Written out, because Next replaces it in a build: no variable opens what was built for production.
  const jwksUrl = readJwksUrl(env)
  const acceptsTokens = jwtSecret !== undefined || jwksUrl !== undefined
  const isOpen = !acceptsTokens && process.env.NODE_ENV !== 'production'
  return {
    eventsUrl: readEventsUrl(env),
    maxCount: readCount(env, 'EVENTS_MAX_COUNT', 100_000),
    maxAgeMs: readDuration(env, 'EVENTS_MAX_AGE', '24h'),
    eventMaxBytes: readCount(env, 'EVENT_MAX_BYTES', 65_536),
    heartbeatMs,
    stallMs,
    retryMs: readTimer(env, 'RETRY', '2s'),
    maxStreams: readCount(env, 'MAX_STREAMS', 10_000),
    streamMaxAgeMs: readMaxAge(env, 'STREAM_MAX_AGE'),
    drainMs: readTimer(env, 'DRAIN', '5s'),
    drainRunsMs: readTimer(env, 'DRAIN_RUNS', '5s'),
    jwtSecret,
    jwksUrl,
    publicTopics: readPublicTopics(env),
    isOpen,
    corsOrigins: readOrigins(env),
    limitStreams: readCount(env, 'LIMIT_STREAMS', 100, 0),
    limitPublish: readCount(env, 'LIMIT_PUBLISH', isOpen ? 0 : 60, 0),
    trustedProxies: readCount(env, 'TRUST_PROXY', 0, 0),
    directLane: readOneOf(env, 'DIRECT_LANE', ['on', 'off']) === 'on',
    frontDoor: readOneOf(env, 'FRONT_DOOR', ['auto', 'on', 'off']),
  }
}

/** @throws {ConfigError} it is too short */
export function readSecret(env: Environment): string | undefined {
  const secret = env['EVENTS_JWT_SECRET'] || undefined
  if (secret === undefined || Buffer.byteLength(secret) >= 32) return secret
  throw new ConfigError(
    'EVENTS_JWT_SECRET must have at least 32 bytes: HS256 is no stronger than it.',
  )
}

function readJwksUrl(env: Environment): URL | undefined {
  const text = env['EVENTS_JWKS_URL'] || undefined
  if (text === undefined) return undefined
  if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text)
  throw new ConfigError('EVENTS_JWKS_URL must be an address such as https://example.com/jwks.json.')
}

function readPublicTopics(env: Environment): string[] {
  const patterns = readList(env, 'PUBLIC_TOPICS')
  if (patterns.every(isTopicPattern)) return patterns
  throw new ConfigError('PUBLIC_TOPICS must be topics, `prefix.*` or `*`, separated by commas.')
}

function readOrigins(env: Environment): string[] {
  const origins = readList(env, 'CORS_ORIGINS')
  if (origins.every(isOrigin)) return origins
  throw new ConfigError(
    'CORS_ORIGINS must be origins such as https://example.com, without a path, separated by commas.',
  )
}

/** True for what a browser would send as the `Origin` of a page on the web. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

function readList(env: Environment, name: string): string[] {
  const text = (env[name] ?? '').trim()
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}

function readEventsUrl(env: Environment): LogAddress {
  const url = env['EVENTS_URL'] || 'file:.data/events.db'
  if (url === 'memory:') return { engine: 'memory' }
  const file = /^file:(.+)$/.exec(url)?.[1]
  if (file !== undefined) return { engine: 'sqlite', file }
  const address = /^rediss?:/.test(url) ? parseRedisUrl(url) : undefined
  if (address) return { engine: 'redis', address }
  // What it is stays unsaid: there may be a password in it.
  throw new ConfigError(
    'EVENTS_URL must be file:<path>, memory: or redis[s]://[[<user>]:<password>@]<host>[:<port>][/<database>], with special characters percent-encoded.',
  )
}

function parseRedisUrl(text: string): RedisAddress | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text)
  const path = /^\/?(\d{0,4})$/.exec(pathname)
  if (hostname === '' || !path || search !== '' || hash !== '') return undefined
  try {
    return {
      // An IPv6 address is in brackets.
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 6379),
      tls: protocol === 'rediss:',
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password) || undefined,
      database: Number(path[1]),
    }
  } catch {
    // A lone percent sign.
    return undefined
  }
}

function readDuration(env: Environment, name: string, fallback: string): number {
  const durationMs = parseDuration(env[name] || fallback)
  if (durationMs !== undefined && durationMs > 0) return durationMs
  throw new ConfigError(`${name} must be a duration such as 500ms, 15s, 10m, 24h or 7d.`)
}

/** `off`, the default, is undefined. */
function readMaxAge(env: Environment, name: string): number | undefined {
  const text = env[name] || 'off'
  if (text === 'off') return undefined
  const durationMs = parseDuration(text)
  if (durationMs !== undefined && durationMs > 0) return durationMs
  throw new ConfigError(`${name} must be a duration such as 30m or 12h, or off.`)
}

/** The first choice is the default. */
function readOneOf<Choice extends string>(
  env: Environment,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const text = env[name] || choices[0]
  const choice = choices.find((one) => one === text)
  if (choice !== undefined) return choice
  throw new ConfigError(`${name} must be ${choices.join(' or ')}.`)
}

/** A duration that a timer of Node can wait for. */
function readTimer(env: Environment, name: string, fallback: string): number {
  const durationMs = readDuration(env, name, fallback)
  if (durationMs < 2 ** 31) return durationMs
  throw new ConfigError(`${name} must be less than 24 days.`)
}

function readCount(env: Environment, name: string, fallback: number, least = 1): number {
  const text = env[name] || String(fallback)
  const count = Number(text)
  if (/^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(count) && count >= least) return count
  throw new ConfigError(`${name} must be a whole number of at least ${least}.`)
}
