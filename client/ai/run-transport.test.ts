// @vitest-environment jsdom
/** The transport without React: what it sends, and what it reads. */
import type { UIMessage, UIMessageChunk } from 'ai'
import { describe, expect, test } from 'vitest'
import { installChatOrigin, modelCall, origin, sse, until } from '@/test/doubles/chat-origin'
import { ChatRequestError } from './chat-request-error'
import { createRunTransport, type RunTransportOptions } from './run-transport'

installChatOrigin()

const hello: UIMessage = { id: 'u', role: 'user', parts: [{ type: 'text', text: 'Hello?' }] }
let chats = 0

function newChat(): string {
  return `t${++chats}`
}

function transportWith(options: RunTransportOptions = {}) {
  return createRunTransport({
    api: `${origin.url}/api/chat`,
    path: `${origin.url}/events`,
    ...options,
  })
}

async function send(
  transport: ReturnType<typeof transportWith>,
  chatId: string,
): Promise<ReadableStream<UIMessageChunk>> {
  return await transport.sendMessages({
    chatId,
    messages: [hello],
    trigger: 'submit-message',
    messageId: undefined,
    abortSignal: undefined,
  })
}

async function textOf(stream: ReadableStream<UIMessageChunk> | null): Promise<string> {
  let text = ''
  const reader = stream?.getReader()
  for (;;) {
    const read = await reader?.read()
    if (!read || read.done) return text
    if (read.value.type === 'text-delta') text += read.value.delta
  }
}

describe('createRunTransport', () => {
  test('a message that the server refused is not replaced by what the server has', async () => {
    const chatId = newChat()
    const transport = transportWith({ api: `${origin.url}/nowhere` })

    await expect(send(transport, chatId)).rejects.toThrow(ChatRequestError)

    expect(transport.runs.beforeLoad(chatId)()).toBe(false)
  })

  test('a chat that was read before a message was sent does not replace the message', async () => {
    const chatId = newChat()
    const transport = transportWith()
    const mayShowOldest = transport.runs.beforeLoad(chatId)
    const mayShow = transport.runs.beforeLoad(chatId)
    expect(mayShowOldest()).toBe(false)
    expect(mayShow()).toBe(true)

    const stream = await send(transport, chatId)
    const model = await modelCall()
    expect(transport.runs.beforeLoad(chatId)()).toBe(false)
    model.finish()
    await textOf(stream)

    expect(mayShow()).toBe(false)
    await until(() => {
      expect(transport.runs.beforeLoad(chatId)()).toBe(true)
    })
  })

  test('of two messages sent at once, the newer reads the answer and carries out its tools, whichever was answered first', async () => {
    const chatId = newChat()
    const transport = transportWith()
    let answerFirst = (): void => {}
    origin.options.begin = () =>
      new Promise((resolve) => {
        answerFirst = resolve
      })
    const older = send(transport, chatId)
    await until(() => expect(origin.stored.has(chatId)).toBe(true))
    const newer = (await send(transport, chatId)).getReader()
    answerFirst()

    expect(await textOf(await older)).toBe('')
    const model = await modelCall()
    model.give({ type: 'tool-call', toolCallId: 'call-1', toolName: 'place', input: '{}' })
    model.finish('tool-calls')
    const chunks: UIMessageChunk[] = []
    for (;;) {
      const { done, value } = await newer.read()
      if (done) break
      chunks.push(value)
    }

    expect(chunks).toContainEqual(
      expect.objectContaining({ type: 'tool-input-available', toolCallId: 'call-1' }),
    )
    expect(origin.calls).toHaveLength(1)
  })

  test('finds a running answer by asking the server, and none that has ended', async () => {
    const chatId = newChat()
    const stream = await send(transportWith(), chatId)
    const model = await modelCall()
    model.say('One ')

    const found = await transportWith().reconnectToStream({ chatId })
    model.say('two.')
    model.finish()

    expect(await textOf(found)).toBe('One two.')
    expect(await textOf(stream)).toBe('One two.')
    await until(() => expect(origin.openStreams).toBe(0))
    expect(await transportWith().reconnectToStream({ chatId })).toBeNull()
    expect(await transportWith().reconnectToStream({ chatId: newChat() })).toBeNull()
  })

  test('sends its headers with every request, also with the stream', async () => {
    const chatId = newChat()
    const headers = (): Record<string, string> => ({ authorization: 'Bearer of-ana' })
    const transport = transportWith({ headers })

    const stream = await send(transport, chatId)
    await until(() => expect(origin.openStreams).toBe(1))
    await transport.stopRun(chatId)

    expect(await textOf(stream)).toBe('')
    expect(origin.requests).toEqual([
      'POST /api/chat',
      `GET /events/chat.${chatId}?envelope=1`,
      `POST /api/chat?chat=${chatId}&op=stop`,
      `GET /events/chat.${chatId}?envelope=1`,
    ])
    expect(new Set(origin.authorizations)).toEqual(new Set(['Bearer of-ana']))
  })

  test('has another topic where it is told so', async () => {
    const run = await sse.run('elsewhere', async function* () {
      yield { type: 'run.chunks', data: [{ type: 'text-delta', id: 't', delta: 'There.' }] }
    })
    const transport = transportWith({
      topic: () => 'elsewhere',
      run: { id: run.id, topic: 'elsewhere', status: 'running', cursor: run.cursor },
    })

    expect(await textOf(await transport.reconnectToStream({ chatId: 'a chat' }))).toBe('There.')
  })

  test('stops an answer whose message is still on its way', async () => {
    const chatId = newChat()
    const transport = transportWith()
    let grant = (): void => {}
    origin.options.authorize = ({ action }) =>
      action !== 'publish' ||
      new Promise((resolve) => {
        grant = () => resolve(true)
      })
    const sending = send(transport, chatId)
    await until(() => expect(origin.requests).toEqual(['POST /api/chat']))

    const stopping = transport.stopRun(chatId)
    // Meanwhile the server has answered what came after.
    expect(await transportWith().reconnectToStream({ chatId })).toBeNull()
    grant()
    await stopping

    expect(await textOf(await sending)).toBe('')
    expect(await sse.runOf(`chat.${chatId}`)).toMatchObject({ status: 'stopped' })
  })

  test('ends the reading, not the answer, when its stream is cancelled', async () => {
    const chatId = newChat()
    const stream = await send(transportWith(), chatId)
    const model = await modelCall()
    await until(() => expect(origin.openStreams).toBe(1))

    await stream.cancel()

    await until(() => expect(origin.openStreams).toBe(0))
    expect(model.isAborted()).toBe(false)
    model.finish()
  })
})
