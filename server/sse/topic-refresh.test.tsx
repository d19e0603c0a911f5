import { renderToString } from 'react-dom/server'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { LiveRefresh } from '@/hooks/live-refresh'
import { createSse } from './sse'

vi.stubEnv('EVENTS_URL', 'memory:')
const sse = createSse()

afterAll(() => sse.close())

describe('sse.cursor', () => {
  test('is the place after everything so far, and before everything that follows', async () => {
    await sse.publish('c.one', 'told', 1)
    const from = await sse.cursor()
    await sse.publish('c.one', 'told', 2)

    const { events } = await sse.history('c.one', { after: from })

    expect(events.map(({ data }) => data)).toEqual(['2'])
  })

  test('of topics is their newest event, where a stream of theirs stands', async () => {
    const { ids } = await sse.publish('c.two', 'told', 1)
    await sse.publish('c.other', 'told', 1)

    expect(await sse.cursor(['c.two'])).toBe(ids[0])
    expect(await sse.cursor('c.two')).toBe(ids[0])
  })

  test('refuses topics that are none', async () => {
    await expect(sse.cursor(['-'])).rejects.toThrow(
      expect.objectContaining({ code: 'invalid-topic' }),
    )
  })
})

describe('sse.LiveRefresh', () => {
  test('takes the cursor, then calls its children', async () => {
    const { ids } = await sse.publish('c.live', 'told', 1)

    const element = await sse.LiveRefresh({
      topics: ['c.live'],
      share: 'tabs',
      // What is published while the page reads comes after the cursor.
      children: async () => {
        await sse.publish('c.live', 'told', 2)
        return <p>Read.</p>
      },
    })

    const [children, refresh] = (
      element.props as { children: [unknown, { type: unknown; props: object }] }
    ).children
    expect(renderToString(children as never)).toBe('<p>Read.</p>')
    expect(refresh.type).toBe(LiveRefresh)
    expect(refresh.props).toEqual({
      path: '/events',
      topics: ['c.live'],
      share: 'tabs',
      from: ids[0],
    })
  })
})
