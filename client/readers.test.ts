// @vitest-environment jsdom
/** One browser, several users, over real sockets. Chromium's own cookies are in e2e/access/accounts.e2e.ts. */
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { anonymousReader } from '@/protocol/reader-key'
import type { EventSourceClientOptions } from './event-source-client'
import { joinSharedStream } from './tabs/join-shared-stream'
import {
  anna,
  bert,
  breakStreams,
  installReaderOrigin,
  openTab,
  origin,
  paths,
  publish,
  streams,
  until,
  untilHeard,
  untilOpen,
  untilStrange,
  wait,
  type Tab,
} from '@/test/doubles/reader-origin'

installReaderOrigin()

const ways = [
  { name: 'a page with a stream of its own', options: {}, requestsForReason: 2 },
  { name: 'a page that reads by fetch', options: { transport: 'fetch' }, requestsForReason: 1 },
  {
    name: 'a page that shares its stream',
    options: { join: joinSharedStream },
    requestsForReason: 2,
  },
] as const

type Begin = Pick<
  EventSourceClientOptions,
  'initialReader' | 'initialLastEventId' | 'initialEvents'
>

for (const { name, options, requestsForReason } of ways) {
  const open = (more?: Begin): Tab => openTab({ ...options, ...more })

  describe(name, () => {
    test('knows its reader, and presents it from then on', async () => {
      origin.log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)
      await until(() => expect(page.client.getState().reader).toBe(anna))

      breakStreams()
      await until(() => expect(paths()).toHaveLength(2))

      expect(paths()).toEqual(['/events', `/events?lastEventId=abcd.1&reader=${anna}`])
    })

    test('never shows what another user may read, who signed in meanwhile', async () => {
      origin.log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)

      origin.reader = bert
      breakStreams()
      publish('two')
      await untilStrange(page)
      publish('three')
      await wait()

      expect(page.heard).toEqual([`${anna} one`, 'another reader'])
      // An EventSource hides why it was refused, so that it is asked for once more.
      expect(paths().slice(1)).toEqual(
        Array(requestsForReason).fill(`/events?lastEventId=abcd.1&reader=${anna}`),
      )
      expect(page.client.getState()).toMatchObject({ lastEventId: '', reader: undefined })
    })

    test('starts as the other user with an empty list, when it is told to', async () => {
      origin.log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)
      origin.reader = bert
      breakStreams()
      await untilStrange(page)
      expect(page.client.getState().events).toHaveLength(1)

      page.client.open()

      expect(page.client.getState().events).toEqual([])
      await untilHeard(page, `${anna} one`, 'another reader', `${bert} one`)
      await until(() => expect(page.client.getState().reader).toBe(bert))
      await until(() => {
        expect(page.client.getState().events.map(({ data }) => data)).toEqual([`${bert} one`])
      })
      expect(paths().at(-1)).toBe('/events')
    })

    test('of nobody starts over by itself when somebody signs in', async () => {
      origin.reader = anonymousReader
      origin.log = ['one']
      const page = open()
      await untilHeard(page, `${anonymousReader} one`)

      origin.reader = anna
      breakStreams()

      await untilHeard(page, `${anonymousReader} one`, 'another reader', `${anna} one`)
      await until(() =>
        expect(page.client.getState().events.map(({ data }) => data)).toEqual([`${anna} one`]),
      )
      expect(page.client.getState()).toMatchObject({ status: 'open', reader: anna, received: 1 })
      expect(paths().at(-1)).toBe('/events')
    })

    test('of somebody ends when they sign out', async () => {
      const page = open()
      await untilOpen(page)
      await until(() => expect(page.client.getState().reader).toBe(anna))

      origin.reader = anonymousReader
      breakStreams()

      await untilStrange(page)
    })

    test('is not misled by a server that looks at no key, and tells another', async () => {
      origin.isChecking = false
      origin.log = ['one']
      const page = open()
      await untilHeard(page, `${anna} one`)

      origin.reader = bert
      breakStreams()
      publish('two')

      await untilStrange(page)
      expect(page.heard).toEqual([`${anna} one`, 'another reader'])
    })

    test('presents no key to a server that tells none', async () => {
      origin.reader = undefined
      const page = open()
      await untilOpen(page)

      breakStreams()
      await until(() => expect(origin.asked).toHaveLength(2))

      expect(origin.asked.every((one) => !one.url.includes('reader'))).toBe(true)
    })

    test('that presented no key takes no answer about one: it is refused, and asks no more', async () => {
      origin.server.removeAllListeners('request')
      origin.server.on('request', ({ method = '', url: path = '' }, response: ServerResponse) => {
        origin.asked.push({ method, url: path, reader: origin.reader, response })
        response.writeHead(409, { 'content-type': 'application/problem+json' })
        response.end('{"code":"reader-changed"}')
      })
      const page = open()

      await until(() => {
        expect(page.client.getState()).toMatchObject({
          status: 'failed',
          error: { kind: 'refused', status: 409 },
        })
      })
      await wait()
      expect(origin.asked).toHaveLength(requestsForReason)
    })

    test('stopped by a listener that hears of the other reader, stays stopped', async () => {
      origin.reader = anonymousReader
      const page = open()
      await until(() => expect(page.client.getState().reader).toBe(anonymousReader))
      page.client.onReaderChange(() => page.client.close())

      origin.reader = anna
      breakStreams()
      await untilHeard(page, 'another reader')
      await wait()

      expect(page.client.getState().status).toBe('closed')
      expect(streams()).toEqual([])
    })

    test.each([anonymousReader, bert])(
      'that begins with events of a reader whom the browser no longer is (%s) shows none of them',
      async (former) => {
        origin.log = ['one', 'two']
        const event = { type: 'message', data: `${former} one`, id: 'abcd.1', receivedAt: 0 }
        const page = open({
          initialReader: former,
          initialLastEventId: 'abcd.1',
          initialEvents: [event],
        })
        const texts = () => page.client.getState().events.map(({ data }) => data)
        expect(texts()).toEqual([`${former} one`])

        await until(() => expect(page.heard).toContain('another reader'))
        expect(texts()).toEqual([])
        // The page of a user waits: what else it shows may belong to that user too.
        if (former === bert) page.client.open()

        await untilHeard(page, 'another reader', `${anna} one`, `${anna} two`)
        await until(() => expect(texts()).toEqual([`${anna} one`, `${anna} two`]))
        expect(paths().filter((path) => path.includes('lastEventId'))[0]).toBe(
          `/events?lastEventId=abcd.1&reader=${former}`,
        )
      },
    )

    test('goes on as the reader that it is told to begin with, and no other', async () => {
      const [mine, another] = [anna, bert].map((initialReader) => open({ initialReader })) as [
        Tab,
        Tab,
      ]

      await untilStrange(another)
      await untilOpen(mine)
    })
  })
}
