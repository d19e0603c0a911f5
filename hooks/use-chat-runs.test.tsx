// @vitest-environment jsdom
/** The real `useChat` of the AI SDK, over the library's own routes. */
import { act } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import { installChatOrigin, modelCall, origin, sse, until } from '@/test/doubles/chat-origin'
import { beginAnswer, newChat, openPage, send, shows, textOf } from '@/test/doubles/chat-page'

installChatOrigin()

describe('useChat with a run transport', () => {
  test('shows an answer word by word, and ends ready', async () => {
    const page = await openPage(newChat())

    const model = await beginAnswer(page, page)
    model.say('two.')
    await shows(page, 'streaming', 'Hello?', '[step-start]One two.')
    model.finish()

    await shows(page, 'ready', 'Hello?', '[step-start]One two.')
  })

  test('a reload in mid-answer goes on with it', async () => {
    const id = newChat()
    const page = await openPage(id)
    const model = await beginAnswer(page, page)

    page.leave()
    model.say('two ')
    const again = await openPage(id, page.tab)
    await shows(again, 'streaming', 'Hello?', '[step-start]One two ')
    model.say('three.')
    model.finish()

    await shows(again, 'ready', 'Hello?', '[step-start]One two three.')
    expect(origin.calls).toHaveLength(1)
    expect(model.isAborted()).toBe(false)
  })

  test('another tab that was open joins, and leaves without ending the answer', async () => {
    const id = newChat()
    const page = await openPage(id)
    const other = await openPage(id)
    await shows(other, 'ready')

    const model = await beginAnswer(page, other)
    other.leave()
    model.say('two.')
    await shows(page, 'streaming', 'Hello?', '[step-start]One two.')
    model.finish()

    await shows(page, 'ready', 'Hello?', '[step-start]One two.')
    expect(model.isAborted()).toBe(false)
  })

  test('a tab that joined stops the answer of the first', async () => {
    const id = newChat()
    const page = await openPage(id)
    send(page, 'Hello?')
    const model = await modelCall()
    model.say('One ')
    const other = await openPage(id)
    await shows(other, 'streaming', 'Hello?', '[step-start]One ')

    await act(() => other.transport.stopRun(id))

    await shows(page, 'ready', 'Hello?', '[step-start]One ')
    await shows(other, 'ready', 'Hello?', '[step-start]One ')
    expect(model.isAborted()).toBe(true)
    expect(await sse.runOf(`chat.${id}`)).toMatchObject({ status: 'stopped' })
    expect(origin.stored.get(id)?.map(textOf)).toEqual(['Hello?', '[step-start]One '])
  })

  test('stop of useChat leaves the answer, and does not end it', async () => {
    const id = newChat()
    const page = await openPage(id)
    const model = await beginAnswer(page, page)

    await act(() => page.chat.stop())

    expect(page.chat.status).toBe('ready')
    expect(model.isAborted()).toBe(false)
    expect(await sse.runOf(`chat.${id}`)).toMatchObject({ status: 'running' })
    model.finish()
    await until(async () => {
      expect(await sse.runOf(`chat.${id}`)).toMatchObject({ status: 'done' })
    })
  })

  test('a message sent twice runs one model', async () => {
    const id = newChat()
    const page = await openPage(id)

    act(() => {
      void page.chat.sendMessage({ text: 'Hello?' })
      void page.chat.sendMessage({ text: 'Hello?' })
    })
    const model = await modelCall()
    model.say('One.')
    model.finish()

    await until(() => expect(page.chat.status).toBe('ready'))
    await shows(page, 'ready', 'Hello?', '[step-start]One.')
    expect(origin.calls).toHaveLength(1)
  })

  test('regenerating replaces the answer, in every tab', async () => {
    const id = newChat()
    const page = await openPage(id)
    const other = await openPage(id)
    const first = await beginAnswer(page, page, other)

    act(() => void page.chat.regenerate())
    const second = await modelCall(1)
    expect(first.isAborted()).toBe(true)
    second.say('Two.')
    await shows(page, 'streaming', 'Hello?', '[step-start]Two.')
    await shows(other, 'streaming', 'Hello?', '[step-start]Two.')
    second.finish()

    await shows(page, 'ready', 'Hello?', '[step-start]Two.')
    await shows(other, 'ready', 'Hello?', '[step-start]Two.')
    expect(origin.stored.get(id)?.map(textOf)).toEqual(['Hello?', '[step-start]Two.'])
  })
})
