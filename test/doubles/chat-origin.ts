/** For tests of chats: the library's own routes over real sockets, and a model whose words a test gives it. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { cleanup, waitFor } from '@testing-library/react'
import {
  convertToModelMessages,
  jsonSchema,
  streamText,
  tool,
  toUIMessageStream,
  type ToolSet,
  type UIMessage,
} from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { EventSource as NodeEventSource } from 'eventsource'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { chatRoute, type ChatRouteOptions } from '@/server/ai/chat-route'
import { createSse } from '@/server/sse/sse'

type Part = Parameters<
  ReadableStreamDefaultController<
    Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer P>
      ? P
      : never
  >['enqueue']
>[0]

/** One call of the model. */
export interface ModelCall {
  /** Writes a word. */
  say: (word: string) => void
  /** Writes any part of an answer. */
  give: (...parts: NonNullable<Part>[]) => void
  finish: (reason?: 'stop' | 'tool-calls' | 'error') => void
  /** Ends the answer with an error, as providers do. */
  fail: (error: Error) => void
  /** Ends the answer as a connection that is lost. */
  breakOff: (error: Error) => void
  isAborted: () => boolean
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** The server, and all that was asked of it. `stored` are the messages that the app has, by chat. */
export const origin = {
  url: '',
  calls: new Array<ModelCall>(),
  stored: new Map<string, UIMessage[]>(),
  /** `GET /events/chat.x`, `POST /api/chat`, … */
  requests: new Array<string>(),
  /** The header of each of them. */
  authorizations: new Array<string | undefined>(),
  openStreams: 0,
  options: {} as Partial<ChatRouteOptions>,
  /** Answers in place of the library's routes. */
  answer: undefined as RequestListener | undefined,
  /** Closes all connections, and from now on each new one, until the returned function is called. */
  goAway() {
    origin.answer = (request) => request.socket.destroy()
    server.closeAllConnections()
    return () => {
      origin.answer = undefined
    }
  },
}

export const sse = createSse()

const model = new MockLanguageModelV4({
  async doStream({ abortSignal }) {
    let isText = false
    let isOver = false
    let isAborted = false
    const stream = new ReadableStream<NonNullable<Part>>({
      start(controller) {
        abortSignal?.addEventListener('abort', () => {
          if (isOver) return
          isAborted = true
          controller.error(abortSignal.reason)
        })
        controller.enqueue({ type: 'stream-start', warnings: [] })
        const give: ModelCall['give'] = (...parts) => {
          for (const part of parts) controller.enqueue(part)
        }
        origin.calls.push({
          give,
          say(word) {
            if (!isText) give({ type: 'text-start', id: 'text' })
            isText = true
            give({ type: 'text-delta', id: 'text', delta: word })
          },
          finish(unified = 'stop') {
            if (isText) give({ type: 'text-end', id: 'text' })
            give({ type: 'finish', finishReason: { unified, raw: unified }, usage })
            isOver = true
            controller.close()
          },
          fail(error) {
            give({ type: 'error', error })
            this.finish('error')
          },
          breakOff(error) {
            isOver = true
            controller.error(error)
          },
          isAborted: () => isAborted,
        })
      },
    })
    return { stream }
  },
})

/** A tool that the page carries out. The SDK's types do without `exactOptionalPropertyTypes`. */
const tools = {
  place: tool({
    inputSchema: jsonSchema<{ near: string }>({
      type: 'object',
      properties: { near: { type: 'string' } },
    }),
  }),
} as unknown as ToolSet

export const route = chatRoute(sse, {
  authorize: (asked) => origin.options.authorize?.(asked) ?? true,
  async begin(chat) {
    origin.stored.set(chat.chatId, chat.messages)
    await origin.options.begin?.(chat)
  },
  async answer(chat) {
    if (origin.options.answer) return await origin.options.answer(chat)
    const { chatId, messages, answerId, signal } = chat
    const result = streamText({
      model,
      tools,
      messages: await convertToModelMessages(messages),
      abortSignal: signal,
      maxRetries: 0,
      onError() {},
    })
    return toUIMessageStream({
      stream: result.stream,
      originalMessages: messages,
      generateMessageId: () => answerId,
      onError: () => 'The model failed.',
      onEnd({ messages: all }) {
        origin.stored.set(chatId, all)
      },
    })
  },
})

const listener = getRequestListener(async (request) => {
  const { pathname } = new URL(request.url)
  if (pathname === '/api/chat') {
    return await (request.method === 'POST' ? route.POST(request) : route.GET(request))
  }
  return await sse.topicRoute.GET(request)
})

const server = createServer((request, response) => {
  const url = request.url ?? ''
  origin.requests.push(`${request.method} ${url.replace(/[?&]lastEventId=.*/, '')}`)
  origin.authorizations.push(request.headers.authorization)
  if (url.startsWith('/events')) {
    origin.openStreams++
    response.once('close', () => origin.openStreams--)
  }
  if (origin.answer) origin.answer(request, response)
  else void listener(request, response)
})

/** Starts the server for the tests of a file. */
export function installChatOrigin(): void {
  vi.stubEnv('EVENTS_URL', 'memory:')
  // jsdom has no EventSource; this one keeps to the standard.
  vi.stubGlobal('EventSource', NodeEventSource)

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    cleanup()
    Object.assign(origin, {
      calls: [],
      requests: [],
      authorizations: [],
      options: {},
      answer: undefined,
    })
    origin.stored.clear()
  })
  afterAll(async () => {
    await sse.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
}

export async function until(check: () => void): Promise<void> {
  await waitFor(check, { timeout: 4_000, interval: 5 })
}

/** The call of the model with this number, once it was made. */
export async function modelCall(index = 0): Promise<ModelCall> {
  await until(() => {
    if (!origin.calls[index]) throw new Error('The model was not called.')
  })
  return origin.calls[index] as ModelCall
}
