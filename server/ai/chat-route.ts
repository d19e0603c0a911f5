/**
 * The route of a chat: an answer is a run of the chat's topic. Leaving the page does not end it, and anyone who may read the topic can
 * follow it. The stream itself is read at the route of topics.
 */
import type { UIMessage, UIMessageChunk } from 'ai'
import { topicOfChat, type ChatRun, type SentAnswer } from '@/protocol/chat-run'
import { isTopic } from '@/protocol/topics/topic'
import { isCrossSite } from '@/server/access/origin/cross-site'
import { jsonAnswer, emptyAnswer, type Answer } from '@/server/answer'
import { processEngine } from '@/server/engine'
import { answerOf, Refusal } from '@/server/refusal'
import { fromWeb, toWeb } from '@/server/routes/web-request'
import type { Sse } from '@/server/sse/sse'
import { answerValues, continuedMessage } from './answer-source'
import { readChatRequest, type ChatRequest } from './chat-request'

/** What `authorize` is asked. */
export interface ChatQuestion {
  /** `publish`: to send a message. `read`: to find a running answer. `stop`: to stop it. */
  action: 'publish' | 'read' | 'stop'
  chatId: string
  topic: string
  request: Request
}

/** What is known when an answer begins. */
export interface ChatAnswer<Message extends UIMessage> extends ChatRequest<Message> {
  topic: string
  /** The id of the run. */
  runId: string
  /** The id of the message that is written. Hand it to the AI SDK as `generateMessageId: () => answerId`. */
  answerId: string
  /** Aborts when the answer is stopped. */
  signal: AbortSignal
}

export interface ChatRouteOptions<Message extends UIMessage = UIMessage> {
  /** Who may do what; only `true` grants. Default: everything under `next dev`, nothing in production. */
  authorize?: ((asked: ChatQuestion) => boolean | Promise<boolean>) | undefined
  /** The topic of a chat. Default: `chat.` and the chat's id. */
  topic?: ((chatId: string) => string) | undefined
  /** Called once an answer has begun, before `answer` and before the page hears of it: store the messages here. */
  begin?: ((chat: ChatAnswer<Message>) => void | Promise<void>) | undefined
  /**
   * Writes the answer: what `toUIMessageStream` or `createUIMessageStream` returns. Runs outside the request, so it has no `cookies()`.
   * The run ends when the stream has ended, so what `onEnd` stores is stored by then.
   */
  answer: (
    chat: ChatAnswer<Message>,
  ) => ReadableStream<UIMessageChunk> | Promise<ReadableStream<UIMessageChunk>>
}

export interface ChatRoute {
  /** Begins an answer, or joins the running one. With `?op=stop`, stops the running one. */
  POST: (request: Request) => Promise<Response>
  /** The newest run of the chat; 204 if there is none. */
  GET: (request: Request) => Promise<Response>
}

type Runs = Pick<Sse, 'run' | 'stop' | 'runOf'>

/** An `Sse` with defined topics or without. */
type AnyRuns = { [Name in keyof Runs]: (...args: never) => unknown }

const bodyMaxBytes = 8 * 1024 * 1024

/**
 * Makes the handlers that `createRunTransport` talks to. With `createSse({ topics })`, define the topics of the chats too:
 * `'chat.*': { '*': json() }`.
 *
 * @example
 * // app/api/chat/route.ts
 * export const { GET, POST } = chatRoute(sse, {
 *   authorize: async ({ chatId, request }) => await isOwner(request, chatId),
 *   begin: ({ chatId, messages }) => saveChat(chatId, messages),
 *   async answer({ chatId, messages, answerId, signal }) {
 *     const result = streamText({ model, messages: await convertToModelMessages(messages), abortSignal: signal })
 *     return toUIMessageStream({
 *       stream: result.stream,
 *       originalMessages: messages,
 *       generateMessageId: () => answerId,
 *       onEnd: ({ messages }) => saveChat(chatId, messages),
 *     })
 *   },
 * })
 */
export function chatRoute<Message extends UIMessage = UIMessage>(
  server: AnyRuns,
  { authorize, topic: topicOf = topicOfChat, begin, answer }: ChatRouteOptions<Message>,
): ChatRoute {
  const sse = server as unknown as Runs

  /** @throws {Refusal} */
  async function allow(
    request: Request,
    action: ChatQuestion['action'],
    chatId: string,
  ): Promise<string> {
    const topic = topicOf(chatId)
    if (!isTopic(topic)) {
      throw new Refusal(
        'invalid-topic',
        'This chat id makes no topic: name one by the option topic.',
      )
    }
    if (!authorize) {
      // Written out, because Next replaces it in a build.
      if (process.env.NODE_ENV !== 'production') return topic
      throw new Refusal('not-granted', 'This chat is closed: chatRoute was given no authorize.')
    }
    const granted: unknown = await authorize({ action, chatId, topic, request })
    if (granted === true) return topic
    if (granted === false) throw new Refusal('not-granted', `You may not ${words[action]}.`)
    throw new Error('chatRoute: authorize must answer true or false.')
  }

  async function send(request: Request): Promise<Answer> {
    const chat = readChatRequest<Message>(await readText(request))
    const topic = await allow(request, 'publish', chat.chatId)
    const continued =
      chat.trigger === 'submit-message' ? continuedMessage(chat.messages) : undefined
    const answerId = continued?.id ?? crypto.randomUUID()
    let tellBegun = (): void => {}
    const begun = new Promise<void>((resolve) => {
      tellBegun = resolve
    })
    const run = await sse.run(
      topic,
      async function* ({ signal, id: runId }) {
        const context = { ...chat, topic, runId, answerId, signal }
        try {
          await begin?.(context)
        } finally {
          tellBegun()
        }
        yield* answerValues(continued, answerId, await answer(context))
      },
      { onLiving: chat.trigger === 'submit-message' ? 'join' : 'replace' },
    )
    if (!run.joined) await begun
    const sent: SentAnswer = {
      run: { id: run.id, topic, status: 'running', cursor: run.cursor },
      joined: run.joined,
    }
    return jsonAnswer(run.joined ? 200 : 201, sent)
  }

  async function find(request: Request): Promise<Answer> {
    const topic = await allow(request, 'read', chatOf(request))
    const run = await sse.runOf(topic)
    return run ? jsonAnswer(200, run satisfies ChatRun) : emptyAnswer(204)
  }

  async function stop(request: Request): Promise<Answer> {
    await sse.stop(await allow(request, 'stop', chatOf(request)))
    return emptyAnswer(204)
  }

  return {
    POST: (request) => serve(request, opOf(request) === 'stop' ? stop : send),
    GET: (request) => serve(request, find),
  }
}

const words = { publish: 'write in this chat', read: 'read this chat', stop: 'stop this answer' }

async function serve(
  request: Request,
  handle: (request: Request) => Promise<Answer>,
): Promise<Response> {
  try {
    if (isCrossSite(request)) {
      throw new Refusal('cross-site', 'A page of another site may not do this.')
    }
    return toWeb(await handle(request))
  } catch (error) {
    if (error instanceof Refusal) return toWeb(answerOf(error))
    throw error
  }
}

function opOf(request: Request): string | null {
  return new URL(request.url).searchParams.get('op')
}

function chatOf(request: Request): string {
  const chatId = new URL(request.url).searchParams.get('chat')
  if (!chatId) throw new Refusal('invalid-query', 'Name the chat: ?chat=<id>.')
  return chatId
}

async function readText(request: Request): Promise<string> {
  // A form of another site can't have this type.
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? '')) {
    throw new Refusal('unsupported-media-type', 'Send application/json.')
  }
  const share = processEngine().uploads.open()
  try {
    const bytes = await fromWeb(request).readBody(bodyMaxBytes, share)
    if (bytes === 'too-large') {
      throw new Refusal('body-too-large', `A conversation can have at most ${bodyMaxBytes} bytes.`)
    }
    if (bytes === 'no-room') {
      throw new Refusal('busy', 'Too many uploads are in progress. Try again.', {
        'Retry-After': '1',
      })
    }
    return new TextDecoder().decode(bytes)
  } finally {
    share.close()
  }
}
