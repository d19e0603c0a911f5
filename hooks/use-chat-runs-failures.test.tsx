// @vitest-environment jsdom
/** Answers that fail, are lost or refused, and pages that are away meanwhile. */
import { act } from '@testing-library/react'
import type { UIMessageChunk } from 'ai'
import { afterEach, describe, expect, test } from 'vitest'
import { processEngine } from '@/server/engine'
import { installChatOrigin, modelCall, origin, route, until } from '@/test/doubles/chat-origin'
import { beginAnswer, newChat, openPage, send, shows } from '@/test/doubles/chat-page'

installChatOrigin()
afterEach(() => setHidden(false))

function setHidden(isHidden: boolean): void {
  Object.defineProperty(document, 'visibilityState', {
    configurable: true,
    get: () => (isHidden ? 'hidden' : 'visible'),
  })
  document.dispatchEvent(new Event('visibilitychange'))
}

/** A run whose producer is another process, which has just written `chunks`. */
async function runElsewhere(
  id: string,
  chunks: UIMessageChunk[],
): Promise<{ lose: () => Promise<void> }> {
  const { log } = await processEngine().hub()
  const run = `elsewhere-${id}`
  const topic = `chat.${id}`
  const event = (type: string, data: unknown) => ({ type, data: JSON.stringify(data) })
  await log.append(topic, [event('run.begin', { run })], { run: { id: run, op: 'begin' } })
  await log.append(topic, [event('run.chunks', chunks)], { run: { id: run, op: 'renew' } })
  return {
    async lose() {
      await log.append(topic, [event('run.end', { run, status: 'lost' })], {
        run: { id: run, op: 'end', status: 'lost' },
      })
    },
  }
}

const half: UIMessageChunk[] = [
  { type: 'start', messageId: 'half' },
  { type: 'text-start', id: 't' },
  { type: 'text-delta', id: 't', delta: 'One ' },
]

describe('an answer', () => {
  test('of a model that fails shows its error in every tab, and can be written again', async () => {
    const id = newChat()
    const page = await openPage(id)
    const other = await openPage(id)
    const model = await beginAnswer(page, other)

    model.fail(new Error('secret'))

    for (const each of [page, other]) {
      await shows(each, 'error', 'Hello?', '[step-start]One ')
      expect(each.chat.error?.message).toBe('The model failed.')
    }
    act(() => void page.chat.regenerate())
    const second = await modelCall(1)
    second.say('Two.')
    second.finish()
    for (const each of [page, other]) await shows(each, 'ready', 'Hello?', '[step-start]Two.')
  })

  test('that is lost with its server says so, also after a reload', async () => {
    const id = newChat()
    origin.stored.set(id, [{ id: 'u', role: 'user', parts: [{ type: 'text', text: 'Hello?' }] }])
    const { lose } = await runElsewhere(id, half)
    const page = await openPage(id)
    await shows(page, 'streaming', 'Hello?', 'One ')

    await lose()

    await shows(page, 'error', 'Hello?', 'One ')
    expect(page.chat.error).toMatchObject({ name: 'AnswerError', code: 'lost' })
    const again = await openPage(id)
    await shows(again, 'error', 'Hello?', 'One ')
    act(() => void again.chat.regenerate())
    const model = await modelCall()
    model.say('Two.')
    model.finish()
    for (const each of [page, again]) await shows(each, 'ready', 'Hello?', '[step-start]Two.')
  })

  test('whose stream breaks off fails in words of ours', async () => {
    const page = await openPage(newChat())
    const model = await beginAnswer(page, page)

    model.breakOff(new Error('secret'))

    await shows(page, 'error', 'Hello?', '[step-start]One ')
    expect(page.chat.error).toMatchObject({ name: 'AnswerError', code: 'failed' })
  })

  test('larger than an event comes whole', async () => {
    const page = await openPage(newChat())
    send(page, 'Hello?')
    const model = await modelCall()

    const word = 'Word '.repeat(40_000)
    model.say(word)
    model.finish()

    await shows(page, 'ready', 'Hello?', `[step-start]${word}`)
  })

  test('of a page that is left while its message is on the way is written all the same', async () => {
    const id = newChat()
    const page = await openPage(id)
    send(page, 'Hello?')
    await until(() => expect(origin.requests).toContain('POST /api/chat'))
    page.leave()

    const model = await modelCall()
    const again = await openPage(id, page.tab)
    model.say('One.')
    model.finish()

    await shows(again, 'ready', 'Hello?', '[step-start]One.')
  })

  test('that was complete when the page was loaded is not read again', async () => {
    const id = newChat()
    const page = await openPage(id)
    send(page, 'Hello?')
    const model = await modelCall()
    model.say('One.')
    model.finish()
    await shows(page, 'ready', 'Hello?', '[step-start]One.')
    page.leave()
    origin.requests = []

    const again = await openPage(id)
    await shows(again, 'ready', 'Hello?', '[step-start]One.')
    // The one that follows the chat.
    await until(() => expect(origin.requests).toEqual([`GET /events/chat.${id}?envelope=1`]))
  })
})

describe('a page', () => {
  test('that the server refuses says why, and keeps the message', async () => {
    origin.options = { authorize: ({ action }) => action !== 'publish' }
    const page = await openPage(newChat())

    send(page, 'Hello?')

    await shows(page, 'error', 'Hello?')
    expect(page.chat.error).toMatchObject({
      name: 'ChatRequestError',
      code: 'not-granted',
      status: 403,
    })
  })

  test('that is hidden has no connection unless it reads an answer, and finds what it missed', async () => {
    const id = newChat()
    const page = await openPage(id)
    await until(() => expect(origin.openStreams).toBe(1))

    setHidden(true)
    await until(() => expect(origin.openStreams).toBe(0))
    const model = await beginAnswer(page, page)
    model.finish()
    await shows(page, 'ready', 'Hello?', '[step-start]One ')
    await until(() => expect(origin.openStreams).toBe(0))
    await route.POST(
      new Request(`${origin.url}/api/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          id,
          trigger: 'submit-message',
          messages: [
            ...(origin.stored.get(id) ?? []),
            { id: 'u2', role: 'user', parts: [{ type: 'text', text: 'And?' }] },
          ],
        }),
      }),
    )
    ;(await modelCall(1)).say('More.')
    setHidden(false)

    await shows(page, 'streaming', 'Hello?', '[step-start]One ', 'And?', '[step-start]More.')
    ;(await modelCall(1)).finish()
    await shows(page, 'ready', 'Hello?', '[step-start]One ', 'And?', '[step-start]More.')
  })

  test('that leaves, leaves no stream open', async () => {
    const page = await openPage(newChat())
    await until(() => expect(origin.openStreams).toBe(1))

    page.leave()

    await until(() => expect(origin.openStreams).toBe(0))
  })

  test('with an id that makes no topic is told so', async () => {
    const page = await openPage(newChat())

    await expect(page.transport.stopRun('a chat')).rejects.toThrow('name one by the option topic')
  })
})
