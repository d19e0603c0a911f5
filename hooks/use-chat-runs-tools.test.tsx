// @vitest-environment jsdom
/** Tools that the page carries out, and messages that are continued with their results. */
import { act } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import { installChatOrigin, modelCall, origin, type ModelCall } from '@/test/doubles/chat-origin'
import { newChat, openPage, send, shows, type Page } from '@/test/doubles/chat-page'

installChatOrigin()

function callTool(model: ModelCall, toolCallId: string): void {
  model.give({ type: 'tool-call', toolCallId, toolName: 'place', input: '{"near":"here"}' })
}

function answerTool(page: Page, toolCallId: string, output: string): void {
  act(() => void page.chat.addToolOutput({ tool: 'place', toolCallId, output }))
}

describe('a tool call', () => {
  test('is carried out by the tab that asked, and by no other', async () => {
    const id = newChat()
    const page = await openPage(id)
    const other = await openPage(id)
    send(page, 'Where?')
    const model = await modelCall()

    callTool(model, 'call-1')
    await shows(other, 'streaming', 'Where?', '[step-start][tool-place]')
    const late = await openPage(id)
    await shows(late, 'streaming', 'Where?', '[step-start][tool-place]')
    model.finish('tool-calls')

    for (const each of [page, other, late]) {
      await shows(each, 'ready', 'Where?', '[step-start][tool-place]')
    }
    expect([page.calls, other.calls, late.calls]).toEqual([['call-1'], [], []])
    expect(other.chat.messages.at(-1)?.parts[1]).toMatchObject({
      state: 'input-available',
      input: { near: 'here' },
    })
  })

  test('is not carried out again after a reload, but the next one is', async () => {
    const id = newChat()
    const page = await openPage(id)
    send(page, 'Where?')
    const model = await modelCall()
    callTool(model, 'call-1')
    await shows(page, 'streaming', 'Where?', '[step-start][tool-place]')

    page.leave()
    const again = await openPage(id, page.tab)
    await shows(again, 'streaming', 'Where?', '[step-start][tool-place]')
    callTool(model, 'call-2')
    await shows(again, 'streaming', 'Where?', '[step-start][tool-place][tool-place]')
    model.finish('tool-calls')
    await shows(again, 'ready', 'Where?', '[step-start][tool-place][tool-place]')
    const later = await openPage(id, page.tab)

    await shows(later, 'ready', 'Where?', '[step-start][tool-place][tool-place]')
    expect([page.calls, again.calls, later.calls]).toEqual([['call-1'], ['call-2'], []])
  })

  test('with its result continues the message, which a late tab and a reload show from its beginning', async () => {
    const id = newChat()
    const page = await openPage(id)
    const other = await openPage(id)
    send(page, 'Where?')
    const model = await modelCall()
    model.say('Let me see.')
    callTool(model, 'call-1')
    model.finish('tool-calls')
    await shows(page, 'ready', 'Where?', '[step-start]Let me see.[tool-place]')
    await shows(other, 'ready', 'Where?', '[step-start]Let me see.[tool-place]')

    answerTool(page, 'call-1', 'Oslo')
    const more = await modelCall(1)
    more.say('In Oslo.')

    const whole = '[step-start]Let me see.[tool-place][step-start]In Oslo.'
    await shows(page, 'streaming', 'Where?', whole)
    await shows(other, 'streaming', 'Where?', whole)
    page.leave()
    const again = await openPage(id, page.tab)
    await shows(again, 'streaming', 'Where?', whole)
    more.finish()
    for (const each of [again, other]) await shows(each, 'ready', 'Where?', whole)
    expect(origin.calls).toHaveLength(2)
    expect([page.calls, again.calls, other.calls]).toEqual([['call-1'], [], []])
    const ids = [again, other].map(({ chat }) => chat.messages.map((message) => message.id))
    expect(ids[0]).toEqual(ids[1])
    expect(ids[0]).toEqual(origin.stored.get(id)?.map((message) => message.id))
  })
})
