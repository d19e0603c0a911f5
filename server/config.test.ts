import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ConfigError, readConfig } from './config'

const secret = 'a secret of at least thirty-two bytes'

function inProduction(): void {
  vi.stubEnv('NODE_ENV', 'production')
  onTestFinished(() => void vi.unstubAllEnvs())
}

describe('readConfig', () => {
  test('needs no variable', () => {
    expect(readConfig({})).toEqual({
      eventsUrl: { engine: 'sqlite', file: '.data/events.db' },
      maxCount: 100_000,
      maxAgeMs: 86_400_000,
      eventMaxBytes: 65_536,
      heartbeatMs: 15_000,
      stallMs: 60_000,
      retryMs: 2_000,
      maxStreams: 10_000,
      streamMaxAgeMs: undefined,
      drainMs: 5_000,
      drainRunsMs: 5_000,
      jwtSecret: undefined,
      jwksUrl: undefined,
      publicTopics: [],
      isOpen: true,
      corsOrigins: [],
      limitStreams: 100,
      limitPublish: 0,
      trustedProxies: 0,
      directLane: true,
      frontDoor: 'auto',
    })
  })

  test('with a secret, nothing is public and nobody may publish without a token', () => {
    expect(readConfig({ EVENTS_JWT_SECRET: secret })).toMatchObject({
      jwtSecret: secret,
      publicTopics: [],
      isOpen: false,
    })
  })

  test('keys at an address count like a secret', () => {
    const env = { EVENTS_JWKS_URL: 'https://id.example.com/jwks.json' }

    expect(readConfig(env)).toMatchObject({
      jwksUrl: new URL(env.EVENTS_JWKS_URL),
      isOpen: false,
      limitPublish: 60,
    })
    for (const text of ['id.example.com', 'file:///keys', 'https:', 'x']) {
      expect(() => readConfig({ EVENTS_JWKS_URL: text })).toThrow(
        'EVENTS_JWKS_URL must be an address',
      )
    }
  })

  test('in production nothing is public and nobody may publish without a token, secret or not', () => {
    inProduction()

    for (const env of [{}, { EVENTS_JWT_SECRET: secret }]) {
      expect(readConfig(env)).toMatchObject({ publicTopics: [], isOpen: false })
    }
    expect(readConfig({ PUBLIC_TOPICS: 'news' })).toMatchObject({ publicTopics: ['news'] })
  })

  test('no variable opens what was built for production', () => {
    inProduction()

    expect(readConfig({ NODE_ENV: 'development' })).toEqual(readConfig({}))
  })

  test('publishes without a token are counted, but not where anyone may publish', () => {
    expect(readConfig({ LIMIT_PUBLISH: '5' }).limitPublish).toBe(5)
    expect(readConfig({ EVENTS_JWT_SECRET: secret }).limitPublish).toBe(60)
    inProduction()

    expect(readConfig({}).limitPublish).toBe(60)
  })

  test('an empty variable counts as none', () => {
    expect(readConfig({ EVENTS_URL: '', HEARTBEAT: '', EVENTS_MAX_COUNT: '' })).toEqual(
      readConfig({}),
    )
  })

  test('.env.example lists every variable with its default in production', () => {
    inProduction()
    const text = readFileSync(join(__dirname, '..', '.env.example'), 'utf8')

    const example = Object.fromEntries(
      [...text.matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    )

    const read: string[] = []
    const watched = new Proxy(example, {
      get: (target, name: string) => {
        read.push(name)
        return target[name]
      },
    })
    expect(readConfig(watched)).toEqual(readConfig({}))
    expect(new Set(read)).toEqual(new Set(Object.keys(example)))
  })

  test('reads each in its own unit', () => {
    expect(
      readConfig({
        EVENTS_URL: 'memory:',
        EVENTS_MAX_COUNT: '5',
        EVENTS_MAX_AGE: '30d',
        HEARTBEAT: '500ms',
        STALL: '2s',
        STREAM_MAX_AGE: '12h',
        DRAIN: '10s',
        PUBLIC_TOPICS: 'news, orders.*',
        CORS_ORIGINS: 'https://a.example,http://localhost:3001',
        LIMIT_STREAMS: '0',
      }),
    ).toMatchObject({
      eventsUrl: { engine: 'memory' },
      maxCount: 5,
      maxAgeMs: 30 * 86_400_000,
      heartbeatMs: 500,
      stallMs: 2_000,
      streamMaxAgeMs: 43_200_000,
      drainMs: 10_000,
      publicTopics: ['news', 'orders.*'],
      corsOrigins: ['https://a.example', 'http://localhost:3001'],
      limitStreams: 0,
    })
  })

  test.each([
    ['redis://redis', { host: 'redis', port: 6379, tls: false, database: 0 }],
    ['redis://10.0.0.1:7000/3', { host: '10.0.0.1', port: 7000, database: 3 }],
    ['rediss://:s%40cr%2Ft@redis.example', { tls: true, username: undefined, password: 's@cr/t' }],
    ['redis://user:secret@[::1]:6380/', { host: '::1', port: 6380, username: 'user' }],
  ])('EVENTS_URL=%s is Redis', (url, address) => {
    expect(readConfig({ EVENTS_URL: url })).toMatchObject({
      eventsUrl: { engine: 'redis', address },
    })
  })

  test.each([
    'redis://user:secret@',
    'redis://user:secret@host:port',
    'redis://user:secret@host:99999',
    'redis://user:secret@host/events',
    'redis://user:secret@host/0?tls=1',
    'redis://user:secret%@host',
    'redis:user:secret',
    'postgres://user:secret@host',
  ])('EVENTS_URL=%s is refused without telling the password', (url) => {
    const read = (): unknown => readConfig({ EVENTS_URL: url })

    expect(read).toThrow(ConfigError)
    expect(read).not.toThrow('secret')
  })

  test.each([
    ['EVENTS_URL', 'events.db'],
    ['EVENTS_URL', 'file:'],
    ['EVENTS_MAX_COUNT', '0'],
    ['EVENTS_MAX_COUNT', '1e3'],
    ['EVENTS_MAX_AGE', '24'],
    ['EVENTS_MAX_AGE', '0s'],
    ['EVENT_MAX_BYTES', '-1'],
    ['HEARTBEAT', '1 s'],
    ['HEARTBEAT', '30d'],
    ['RETRY', 'soon'],
    ['STALL', '20s'],
    ['EVENTS_JWT_SECRET', 'x'.repeat(31)],
    ['PUBLIC_TOPICS', 'news,'],
    ['PUBLIC_TOPICS', '*.news'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://a.example/'],
    ['CORS_ORIGINS', 'https://A.example'],
    ['CORS_ORIGINS', 'https://a.example:443'],
    ['CORS_ORIGINS', 'file://'],
    ['CORS_ORIGINS', 'https://a.example https://b.example'],
    ['LIMIT_STREAMS', '-1'],
    ['LIMIT_PUBLISH', 'many'],
    ['TRUST_PROXY', 'true'],
    ['DIRECT_LANE', 'yes'],
    ['FRONT_DOOR', 'yes'],
  ])('%s=%s is refused by its name', (name, value) => {
    const read = (): unknown => readConfig({ [name]: value })

    expect(read).toThrow(ConfigError)
    expect(read).toThrow(name)
  })
})
