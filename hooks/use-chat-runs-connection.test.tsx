// @vitest-environment jsdom
/** What a chat's page knows of its connection. */
import { act } from '@testing-library/react'
import { useChat } from '@ai-sdk/react'
import { StrictMode, useState, type ReactNode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ChatConnection } from '@/client/ai/chat-stream'
import { createRunTransport } from '@/client/ai/run-transport'
import { installChatOrigin, origin, until } from '@/test/doubles/chat-origin'
import { beginAnswer, newChat, openPage, shows, type Page } from '@/test/doubles/chat-page'
import { useChatRuns } from './use-chat-runs'

installChatOrigin()
afterEach(() => {
  vi.restoreAllMocks()
  setHidden(false)
})

const none = { status: 'idle', attempt: 0, retryAt: undefined, error: undefined }
const open = { ...none, status: 'open' }

function setHidden(isHidden: boolean): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(isHidden ? 'hidden' : 'visible')
  act(() => void document.dispatchEvent(new Event('visibilitychange')))
}

async function expectStatus(page: Page, status: ChatConnection['status']): Promise<void> {
  await until(() => expect(page.connection.status).toBe(status))
}

describe('the connection of a chat', () => {
  test('is open while the page waits for an answer, reads one, and has read it', async () => {
    const page = await openPage(newChat())
    await until(() => expect(page.connection).toEqual(open))

    const model = await beginAnswer(page, page)
    await until(() => expect(page.connection).toEqual(open))
    const before = page.connection
    model.say('two.')
    await shows(page, 'streaming', 'Hello?', '[step-start]One two.')
    expect(page.connection).toBe(before)
    model.finish()

    await shows(page, 'ready', 'Hello?', '[step-start]One two.')
    expect(page.connection).toBe(before)
  })

  test('says in mid-answer that the server is away, when it is asked again, and that it is back', async () => {
    const page = await openPage(newChat())
    const model = await beginAnswer(page, page)
    await expectStatus(page, 'open')

    const comeBack = origin.goAway()
    await expectStatus(page, 'reconnecting')
    const first = page.connection
    await until(() => expect(page.connection.attempt).toBe(2))
    comeBack()

    expect(page.chat.status).toBe('streaming')
    expect(first).toMatchObject({ attempt: 1, error: { kind: 'lost' } })
    expect(first.retryAt).toBeGreaterThan(Date.now() - 2_000)
    await until(() => expect(page.connection).toEqual(open))
    model.say('two.')
    model.finish()
    await shows(page, 'ready', 'Hello?', '[step-start]One two.')
  })

  test('is reconnecting, too, when nothing is read', async () => {
    const page = await openPage(newChat())
    await expectStatus(page, 'open')

    const comeBack = origin.goAway()
    await expectStatus(page, 'reconnecting')
    comeBack()

    await until(() => expect(page.connection).toEqual(open))
  })

  test('is paused without a network', async () => {
    const page = await openPage(newChat())
    await expectStatus(page, 'open')
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)

    const comeBack = origin.goAway()
    await expectStatus(page, 'paused')
    comeBack()
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(true)
    act(() => void window.dispatchEvent(new Event('online')))

    await until(() => expect(page.connection).toEqual(open))
  })

  test('has failed when the server refuses it, and says why', async () => {
    origin.answer = (_, response) => {
      response.writeHead(403, { 'content-type': 'application/problem+json' })
      response.end('{"code":"not-granted"}')
    }
    const page = await openPage(newChat())

    await expectStatus(page, 'failed')

    expect(page.connection.error).toMatchObject({
      kind: 'refused',
      status: 403,
      code: 'not-granted',
    })
  })

  test('is idle while the page is hidden, which is no fault, unless it reads an answer', async () => {
    const page = await openPage(newChat())
    await expectStatus(page, 'open')

    setHidden(true)
    expect(page.connection).toEqual(none)
    const model = await beginAnswer(page, page)
    await expectStatus(page, 'open')
    model.finish()
    await until(() => expect(page.connection).toEqual(none))
    setHidden(false)

    await until(() => expect(page.connection).toEqual(open))
  })

  test('is idle, and nothing worse, while a request of the page is under way', async () => {
    const page = await openPage(newChat())
    await expectStatus(page, 'open')
    let answer = (): void => {}
    origin.options.begin = () =>
      new Promise((resolve) => {
        answer = resolve
      })

    act(() => void page.chat.sendMessage({ text: 'Hello?' }))
    await expectStatus(page, 'idle')
    await until(() => expect(origin.stored.size).toBe(1))
    expect(page.connection).toEqual(none)
    answer()

    await until(() => expect(page.connection).toEqual(open))
  })

  test('is idle in the HTML, which the page takes over without a complaint', async () => {
    const id = newChat()
    function Chat(): ReactNode {
      const [transport] = useState(() =>
        createRunTransport({ api: `${origin.url}/api/chat`, path: `${origin.url}/events` }),
      )
      const chat = useChat({ id, transport, resume: true })
      const load = async () => ({ run: undefined, messages: [] })
      const { status } = useChatRuns(chat, transport, { load })
      return <p>{status}</p>
    }
    const complain = vi.spyOn(console, 'error')
    const html = renderToString(<Chat />)
    const container = document.createElement('div')
    container.innerHTML = html
    document.body.append(container)

    const root = await act(async () =>
      hydrateRoot(
        container,
        <StrictMode>
          <Chat />
        </StrictMode>,
      ),
    )

    expect(html).toBe('<p>idle</p>')
    await until(() => expect(container.textContent).toBe('open'))
    expect(complain).not.toHaveBeenCalled()
    act(() => root.unmount())
    container.remove()
    await until(() => expect(origin.openStreams).toBe(0))
  })
})
