// @vitest-environment jsdom
/** Tabs of several users that want the same stream, over real ports and sockets. */
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import {
  anna,
  answer,
  bert,
  breakStreams,
  installReaderOrigin,
  openSharing,
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

describe('a tab that comes to a stream which others read', () => {
  test('as the same reader shares it, once the server has said so, and gets nothing before', async () => {
    origin.log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)
    let held: ServerResponse | undefined
    origin.answerHead = (response) => (held = response)

    const late = openSharing()
    await until(() => expect(held).toBeDefined())
    publish('two')
    await untilHeard(first, `${anna} one`, `${anna} two`)
    await wait()
    expect(late.heard).toEqual([])
    expect(late.client.getState()).toMatchObject({ status: 'connecting', reader: undefined })
    held?.writeHead(200, { 'event-reader': anna }).end()

    await untilHeard(late, `${anna} one`, `${anna} two`)
    await until(() => expect(late.client.getState()).toMatchObject({ status: 'open', tabs: 2 }))
    expect(paths('HEAD')).toEqual(['/events'])
    expect(paths()).toEqual(['/events'])
  })

  test('as another reader gets a stream of its own, nothing of the first, and ends what was open for them', async () => {
    origin.log = ['one']
    const these = [openSharing(), openSharing()] as [Tab, Tab]
    for (const tab of these) await untilHeard(tab, `${anna} one`)

    origin.reader = bert
    const newcomer = openSharing()
    await untilStrange(...these)
    publish('two')

    await untilHeard(newcomer, `${bert} one`, `${bert} two`)
    for (const { heard } of these) expect(heard).toEqual([`${anna} one`, 'another reader'])
    expect(streams().map((stream) => stream.reader)).toEqual([bert])
    await until(() => expect(newcomer.client.getState()).toMatchObject({ tabs: 1, reader: bert }))
  })

  test('with what its page was rendered with goes on after that, on the stream of the others', async () => {
    origin.log = ['one', 'two']
    const first = openSharing({ initialReader: anna, initialLastEventId: 'abcd.1' })
    await untilHeard(first, `${anna} two`)
    publish('three')
    await untilHeard(first, `${anna} two`, `${anna} three`)

    const late = openSharing({ initialReader: anna, initialLastEventId: 'abcd.2' })
    const latest = openSharing({ initialReader: anna, initialLastEventId: 'abcd.3' })
    await untilHeard(late, `${anna} three`)
    await untilOpen(latest)
    publish('four')

    await untilHeard(late, `${anna} three`, `${anna} four`)
    await untilHeard(latest, `${anna} four`)
    expect(paths()).toEqual([`/events?lastEventId=abcd.1&reader=${anna}`])
  })

  test('with what a page was rendered with earlier has a stream of its own until it has caught up', async () => {
    origin.log = ['one', 'two']
    const first = openSharing({ initialReader: anna, initialLastEventId: 'abcd.2' })
    await untilOpen(first)

    const late = openSharing({ initialReader: anna, initialLastEventId: 'abcd.1' })
    await untilHeard(late, `${anna} two`)
    publish('three')

    await untilHeard(first, `${anna} three`)
    await untilHeard(late, `${anna} two`, `${anna} three`)
    await until(() => expect(streams()).toHaveLength(1))
  })

  test('and cannot be told whose it is gets nothing, asks again by itself, and shares in the end', async () => {
    origin.log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)

    origin.answerHead = (response) => {
      origin.isAway = true
      response.destroy()
    }
    const late = openSharing()
    await until(() => expect(late.client.getState().status).toBe('reconnecting'))
    await wait()
    expect(late.heard).toEqual([])
    expect(first.client.getState()).toMatchObject({ status: 'open', tabs: 1 })
    origin.isAway = false
    origin.answerHead = undefined

    await untilHeard(late, `${anna} one`)
    await until(() => expect(streams()).toHaveLength(1))
    publish('two')
    await untilHeard(first, `${anna} one`, `${anna} two`)
    await untilHeard(late, `${anna} one`, `${anna} two`)
    await until(() => expect(late.client.getState().tabs).toBe(2))
  })

  test('may not read any more: it is refused, and the others go on', async () => {
    origin.log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)
    const before = answer
    origin.server.removeAllListeners('request')
    origin.server.on('request', (_, response: ServerResponse) => response.writeHead(401).end())

    const late = openSharing()
    await until(() => {
      expect(late.client.getState()).toMatchObject({ status: 'failed', error: { status: 401 } })
    })
    origin.server.removeAllListeners('request')
    origin.server.on('request', before)
    publish('two')

    expect(late.heard).toEqual([])
    await untilHeard(first, `${anna} one`, `${anna} two`)
  })

  test('of a server that tells no readers shares it, and asks nothing', async () => {
    origin.reader = undefined
    origin.log = ['one']
    const first = openSharing()
    await untilHeard(first, 'nobody one')

    const late = openSharing()

    await untilHeard(late, 'nobody one')
    expect(origin.asked.map(({ method }) => method)).toEqual(['GET'])
  })

  test('and leaves while the server is asked leaves nothing behind', async () => {
    const first = openSharing()
    await untilOpen(first)
    let held: ServerResponse | undefined
    origin.answerHead = (response) => (held = response)
    const late = openSharing()
    await until(() => expect(held).toBeDefined())

    late.client.close()
    await until(() => expect(held?.closed).toBe(true))
    publish('one')

    await untilHeard(first, `${anna} one`)
    await until(() => expect(first.client.getState().tabs).toBe(1))
    expect(late.heard).toEqual([])
  })

  test('comes while it is being opened: one stream, and one question', async () => {
    origin.log = ['one']

    const these = [openSharing(), openSharing()] as [Tab, Tab]

    for (const tab of these) await untilHeard(tab, `${anna} one`)
    expect(paths()).toEqual(['/events'])
    expect(paths('HEAD')).toEqual(['/events'])
  })

  test('comes while the server is away: it waits with the others, and gets nothing until it is known', async () => {
    origin.log = ['one']
    const first = openSharing()
    await untilHeard(first, `${anna} one`)
    origin.isAway = true
    breakStreams()
    await until(() => expect(first.client.getState().retryAt).toBeDefined())

    const late = openSharing()
    await until(() => expect(late.client.getState().status).toBe('reconnecting'))
    expect(late.heard).toEqual([])
    origin.reader = bert
    origin.isAway = false
    first.client.reconnect()

    await untilStrange(first)
    await untilHeard(late, `${bert} one`)
    expect(first.heard).toEqual([`${anna} one`, 'another reader'])
  })

  test('was away meanwhile, and finds the stream of another reader: it does not go on', async () => {
    origin.log = ['one']
    const away = openSharing()
    await untilHeard(away, `${anna} one`)
    await until(() => expect(away.client.getState().reader).toBe(anna))
    away.client.close()
    await until(() => expect(streams()).toEqual([]))
    origin.reader = bert
    const other = openSharing()
    await untilHeard(other, `${bert} one`)

    away.client.open()
    await untilStrange(away)
    publish('two')

    await untilHeard(other, `${bert} one`, `${bert} two`)
    expect(away.heard).toEqual([`${anna} one`, 'another reader'])
    expect(streams()).toHaveLength(1)
  })
})
