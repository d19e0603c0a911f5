/** Two servers on one log, and a third process that disconnects a user: what is published after that reaches none of their old streams. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test as base } from '../../test/fixtures/server-test'
import { findServer } from '../../test/programs/find-server'
import { asPublisher, signToken } from '../../test/requests/publisher'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { startRedis } from '../../test/servers/start-redis'
import type { RunningServer } from '../../test/servers/start-server'

const run = promisify(execFile)
const root = join(__dirname, '..', '..')
const env = { PUBLIC_TOPICS: 'public', RETRY: '100ms' }

interface Cluster {
  servers: [RunningServer, RunningServer]
  /** Resolves when `sse.disconnect` has resolved in a process of its own. */
  disconnect: (subject: string) => Promise<void>
}

const test = base.extend<{ storage: 'a file' | 'Redis'; cluster: Cluster }>({
  storage: ['a file', { option: true }],
  cluster: async ({ start, folder, storage }, use, testInfo) => {
    const onRedis = storage === 'Redis'
    testInfo.skip(onRedis && !findServer('redis'), 'There is no Redis server.')
    const redis = onRedis ? await startRedis([]) : undefined
    const own = { ...env, EVENTS_URL: redis?.url ?? `file:${folder}/events.db` }
    await use({
      servers: [await start({ env: own }), await start({ env: own })],
      disconnect: (subject) => disconnect(subject, own.EVENTS_URL),
    })
    await redis?.stop()
  },
})

async function disconnect(subject: string, url: string): Promise<void> {
  const program = join(root, 'test', 'programs', 'disconnect.ts')
  const own = { ...process.env, EVENTS_URL: url, NODE_ENV: 'test' as const }
  await run(process.execPath, [require.resolve('tsx/cli'), program, subject], {
    cwd: root,
    env: own,
  })
}

/** A stream of the user's, and whether its connection has ended. */
interface OpenStream {
  reader: StreamReader
  isOver: boolean
  over: Promise<void>
}

async function open(
  { url }: RunningServer,
  sub: string,
  { topic = 'private', lastEventId = '' } = {},
): Promise<OpenStream> {
  const token = signToken({ sub, events: { subscribe: ['private'] } })
  const reader = createStreamReader({ lastEventId, headers: { authorization: `Bearer ${token}` } })
  const stream: OpenStream = { reader, isOver: false, over: Promise.resolve() }
  stream.over = reader.connect(`${url}/events/${topic}`).then(() => {
    stream.isOver = true
  })
  await reader.until(({ type }) => type === 'connected')
  return stream
}

async function publish({ url }: RunningServer, topic: string, ...data: string[]): Promise<void> {
  for (const body of data) {
    const request = { method: 'POST', headers: asPublisher, body }
    expect((await fetch(`${url}/events/${topic}`, request)).status).toBe(201)
  }
}

function dataOf({ reader }: OpenStream): string[] {
  return reader.events.flatMap(({ type, data }) => (type === 'message' ? [data] : []))
}

function reasonsOf({ reader }: OpenStream): unknown[] {
  return reader.events.flatMap(({ type, data }) =>
    type === 'reconnect' ? [(JSON.parse(data) as { reason: string }).reason] : [],
  )
}

for (const storage of ['a file', 'Redis'] as const) {
  test.describe(`on ${storage}`, () => {
    test.use({ storage })

    test(`a user is gone from every server, others stay, and a reader that may come back misses nothing`, async ({
      cluster,
    }) => {
      const { servers, disconnect: disconnectUser } = cluster
      const [one, other] = servers
      const anas = await Promise.all(servers.map((server) => open(server, 'ana')))
      const bobs = await Promise.all(servers.map((server) => open(server, 'bob')))
      const everyone = await open(other, 'ana', { topic: 'public' })
      await publish(one, 'private', 'before')
      await Promise.all([...anas, ...bobs].map(({ reader }) => reader.until(isData('before'))))

      await disconnectUser('ana')
      await publish(one, 'private', 'after 1', 'after 2')
      await publish(one, 'public', 'for everyone')
      await Promise.all(anas.map(({ over }) => over))
      await Promise.all(bobs.map(({ reader }) => reader.until(isData('after 2'))))
      await everyone.reader.until(isData('for everyone'))

      for (const ana of anas) {
        expect(dataOf(ana)).toEqual(['before'])
        expect(reasonsOf(ana)).toEqual(['revoked'])
      }
      for (const bob of bobs) {
        expect(dataOf(bob)).toEqual(['before', 'after 1', 'after 2'])
        expect(bob.isOver).toBe(false)
      }
      expect(everyone.isOver).toBe(false)
      // Her token still grants, so she may come back, to whichever server.
      const { lastEventId } = anas[0]?.reader ?? { lastEventId: '' }
      const back = await open(other, 'ana', { lastEventId })
      await back.reader.until(isData('after 2'))
      expect(dataOf(back)).toEqual(['after 1', 'after 2'])
      for (const { reader } of [...bobs, everyone, back]) reader.disconnect()
      for (const server of servers) await expect.poll(() => server.openStreams()).toBe(0)
    })

    test(`a server that stood still meanwhile sends nothing newer to the user's streams`, async ({
      cluster,
    }) => {
      const { servers, disconnect: disconnectUser } = cluster
      const [one, still] = servers
      const ana = await open(still, 'ana')
      const bob = await open(still, 'bob')
      await publish(one, 'private', 'before')
      await Promise.all([ana, bob].map(({ reader }) => reader.until(isData('before'))))

      process.kill(still.pid, 'SIGSTOP')
      await publish(one, 'private', 'meanwhile')
      await disconnectUser('ana')
      await publish(one, 'private', 'after')
      process.kill(still.pid, 'SIGCONT')
      await ana.over
      await bob.reader.until(isData('after'))

      expect(dataOf(ana)).not.toContain('after')
      expect(reasonsOf(ana)).toEqual(['revoked'])
      expect(dataOf(bob)).toEqual(['before', 'meanwhile', 'after'])
      bob.reader.disconnect()
    })
  })
}

function isData(wanted: string): (event: { type: string; data: string }) => boolean {
  return ({ type, data }) => type === 'message' && data === wanted
}
