import { simulateReadableStream, type UIMessageChunk } from 'ai'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { ChatRun, SentAnswer } from '@/protocol/chat-run'
import { createSse } from '@/server/sse/sse'
import { chatRoute, type ChatQuestion, type ChatRouteOptions } from './chat-route'

vi.stubEnv('EVENTS_URL', 'memory:')
const sse = createSse()
afterAll(() => sse.close())
afterEach(() => void vi.stubEnv('NODE_ENV', 'test'))

const url = 'http://localhost/api/chat'
let chats = 0

function newChat(): string {
  return `r${++chats}`
}

const hello = { id: 'u', role: 'user', parts: [{ type: 'text', text: 'Hello?' }] }

function body(chatId: string, change: object = {}): string {
  return JSON.stringify({ id: chatId, messages: [hello], trigger: 'submit-message', ...change })
}

function post(text: string, headers: Record<string, string> = {}): Request {
  const type = { 'content-type': 'application/json' }
  return new Request(url, { method: 'POST', headers: { ...type, ...headers }, body: text })
}

function chunksOf(...chunks: UIMessageChunk[]): ReadableStream<UIMessageChunk> {
  return simulateReadableStream({ chunks, chunkDelayInMs: null })
}

const text: UIMessageChunk[] = [
  { type: 'text-start', id: 't' },
  { type: 'text-delta', id: 't', delta: 'One ' },
  { type: 'text-delta', id: 't', delta: 'two.' },
  { type: 'text-end', id: 't' },
]

function route(options: Partial<ChatRouteOptions> = {}) {
  return chatRoute(sse, { answer: () => chunksOf(...text), ...options })
}

/** The events of the chat once its run has ended. */
async function eventsOf(chatId: string): Promise<[string, unknown][]> {
  await vi.waitFor(async () => {
    expect((await sse.runOf(`chat.${chatId}`))?.status).not.toBe('running')
  })
  const { events } = await sse.history(`chat.${chatId}`)
  return events.map(({ type, data }) => [type, JSON.parse(data)])
}

describe('chatRoute', () => {
  test('begins a run, and its first chunk names the message', async () => {
    const chatId = newChat()

    const response = await route().POST(post(body(chatId)))

    expect(response.status).toBe(201)
    const { run, joined } = (await response.json()) as SentAnswer
    expect({ run, joined }).toMatchObject({ joined: false, run: { topic: `chat.${chatId}` } })
    const [begin, chunks, end] = await eventsOf(chatId)
    expect(begin).toEqual(['run.begin', { run: run.id }])
    expect(chunks?.[0]).toBe('run.chunks')
    expect(chunks?.[1]).toEqual([
      { type: 'start', messageId: expect.stringMatching(/^[\w-]{36}$/) as string },
      { type: 'text-start', id: 't' },
      { type: 'text-delta', id: 't', delta: 'One two.' },
      { type: 'text-end', id: 't' },
    ])
    expect(end).toEqual(['run.end', { run: run.id, status: 'done' }])
  })

  test('a message that is continued keeps its id, and is stored as it was', async () => {
    const chatId = newChat()
    const answered = { id: 'a', role: 'assistant', parts: [{ type: 'text', text: 'So far.' }] }

    await route({ answer: () => chunksOf({ type: 'start' }, ...text) }).POST(
      post(body(chatId, { messages: [hello, answered] })),
    )

    const [, base, chunks] = await eventsOf(chatId)
    expect(base).toEqual(['run.base', { messageId: 'a', parts: answered.parts }])
    expect(chunks?.[1]).toMatchObject([{ type: 'start', messageId: 'a' }, {}, {}, {}])
  })

  test('has stored the messages when it answers', async () => {
    const chatId = newChat()
    const stored: string[] = []

    await route({
      async begin({ messages }) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        stored.push(...messages.map(({ id }) => id))
      },
    }).POST(post(body(chatId)))

    expect(stored).toEqual(['u'])
  })

  test('an answer with an error chunk makes the run failed, after all its chunks', async () => {
    const chatId = newChat()
    const error: UIMessageChunk = { type: 'error', errorText: 'No.' }

    await route({ answer: () => chunksOf(error, ...text) }).POST(post(body(chatId)))

    const events = await eventsOf(chatId)
    expect(events.at(-1)?.[1]).toMatchObject({ status: 'failed', reason: 'error' })
    expect(JSON.stringify(events)).toContain('One two.')
  })

  test.each(['begin', 'answer'] as const)('%s that throws makes the run failed', async (name) => {
    const chatId = newChat()
    const fail = (): never => {
      throw new Error('no')
    }

    const { status } = await route({ [name]: fail }).POST(post(body(chatId)))

    expect(status).toBe(201)
    expect((await eventsOf(chatId)).map(([type]) => type)).toEqual(['run.begin', 'run.end'])
  })

  test('a second message while one is answered begins nothing', async () => {
    const chatId = newChat()
    let finish = (): void => {}
    const answer = vi.fn<ChatRouteOptions['answer']>(
      () =>
        new ReadableStream<UIMessageChunk>({
          start(controller) {
            finish = () => controller.close()
          },
        }),
    )
    const { POST } = route({ answer })
    const first = (await (await POST(post(body(chatId)))).json()) as SentAnswer

    const response = await POST(post(body(chatId)))

    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ run: first.run, joined: true })
    expect(answer).toHaveBeenCalledTimes(1)
    finish()
    await eventsOf(chatId)
  })

  test('tells the newest run of a chat', async () => {
    const chatId = newChat()
    const { GET, POST } = route()
    expect((await GET(new Request(`${url}?chat=${chatId}`))).status).toBe(204)
    const { run } = (await (await POST(post(body(chatId)))).json()) as SentAnswer
    await eventsOf(chatId)

    const found = (await (await GET(new Request(`${url}?chat=${chatId}`))).json()) as ChatRun

    expect(found).toEqual({ ...run, status: 'done' })
  })

  test.each([
    ['', 'invalid-json'],
    ['[]', 'invalid-json'],
    [body(''), 'invalid-json'],
    [body('c', { messages: [] }), 'invalid-json'],
    [body('c', { messages: [{ id: 'u', role: 'nobody', parts: [] }] }), 'invalid-json'],
    [body('c', { messages: [{ id: 'u', role: 'user', parts: ['text'] }] }), 'invalid-json'],
    [body('c', { trigger: 'resume-stream' }), 'invalid-json'],
    [body('a chat'), 'invalid-topic'],
    [body('c', { more: 'x'.repeat(9_000_000) }), 'body-too-large'],
  ])('refuses %.60j: %s', async (sent, code) => {
    const response = await route().POST(post(sent))

    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(await response.json()).toMatchObject({ code })
  })

  test('refuses a form, and a page of another site', async () => {
    const form = await route().POST(post(body('c'), { 'content-type': 'text/plain' }))
    const foreign = await route().POST(post(body('c'), { 'sec-fetch-site': 'cross-site' }))

    expect(form.status).toBe(415)
    expect(foreign.status).toBe(403)
  })
})

describe('authorize of chatRoute', () => {
  const stop = (chatId: string): Request =>
    new Request(`${url}?chat=${chatId}&op=stop`, { method: 'POST' })

  test('is asked for each action by name', async () => {
    const chatId = newChat()
    const asked: Omit<ChatQuestion, 'request'>[] = []
    const { GET, POST } = route({
      authorize({ action, chatId: of, topic }) {
        asked.push({ action, chatId: of, topic })
        return action !== 'stop'
      },
    })

    const sent = await POST(post(body(chatId)))
    const found = await GET(new Request(`${url}?chat=${chatId}`))
    const stopped = await POST(stop(chatId))

    expect([sent.status, found.status, stopped.status]).toEqual([201, 200, 403])
    expect(asked).toEqual(
      ['publish', 'read', 'stop'].map((action) => ({ action, chatId, topic: `chat.${chatId}` })),
    )
  })

  test('without it, production refuses everything', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const { GET, POST } = route()

    const answers = [
      await POST(post(body('c'))),
      await GET(new Request(`${url}?chat=c`)),
      await POST(stop('c')),
    ]

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403])
    expect(await sse.runOf('chat.c')).toBeUndefined()
  })

  test('an answer that is neither true nor false grants nothing', async () => {
    const user = route({ authorize: () => ({ id: 1 }) as unknown as boolean })

    await expect(user.POST(post(body('c')))).rejects.toThrow('must answer true or false')
    expect(await sse.runOf('chat.c')).toBeUndefined()
  })
})
