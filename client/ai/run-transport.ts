/**
 * The transport of a chat whose answers are runs: `useChat` sends through it, and finds an answer again after a reload, in another tab
 * or on another device. The server's half is `chatRoute`.
 */
import type { ChatTransport, UIMessage, UIMessageChunk } from 'ai'
import type { RequestHeaders } from '@/client/connection/frame-source'
import { topicOfChat, type ChatRun, type SentAnswer } from '@/protocol/chat-run'
import { parseJsonObject } from '@/protocol/json'
import { isTopic } from '@/protocol/topics/topic'
import { answerChunks } from './answer-chunks'
import { calledTools, createTabStorage, type TabStorage } from './called-tools'
import { ChatRequestError } from './chat-request-error'
import { createChatStream, type ChatStream } from './chat-stream'

export interface RunTransportOptions {
  /** Where `chatRoute` is mounted. Default `/api/chat`. */
  api?: string | undefined
  /** Where the route of topics is mounted, including the app's `basePath`. Default `/events`. */
  path?: string | undefined
  /** The topic of a chat, as `chatRoute` has it. Default: `chat.` and the chat's id. */
  topic?: ((chatId: string) => string) | undefined
  /**
   * What `sse.runOf` said of the chat before its messages were read. A run that was running, failed or lost then is read again from its
   * beginning; otherwise its answer is in the messages. Default: the transport asks the server.
   */
  run?: ChatRun | undefined
  /**
   * `tabs`: the chats of all tabs are read over one connection, as with `share` of useTopics. Not with `headers`. Default: each tab has
   * a connection for its chat, and gives it up for the moment of each request.
   */
  share?: 'tabs' | undefined
  /** Sent with each request, for example to say who asks without a cookie. A function is called for each. */
  headers?: RequestHeaders | undefined
}

export interface RunTransport<
  Message extends UIMessage = UIMessage,
> extends ChatTransport<Message> {
  /**
   * Stops the running answer of the chat, wherever it was asked for, or the answer to a message that is on its way. The page keeps what
   * was written. (`stop` of `useChat` only leaves the answer.)
   *
   * @throws {Error} the server refused, or did not answer
   */
  stopRun: (chatId: string) => Promise<void>
  /** Used by useChatRuns. */
  readonly runs: ChatRuns
}

/** What `useChatRuns` needs to know. */
export interface ChatRuns {
  /** What tells how the chat's stream stands. */
  connection: (chatId: string) => Pick<ChatStream, 'getConnection' | 'onConnection'>
  /** Calls `found` when the chat may have an answer that the page does not show, and `ended` when an answer was read that others asked for. */
  watch: (chatId: string, watch: { found: () => void; ended: () => void }) => () => void
  /**
   * Call it before the chat is read again. The returned function says whether what was read may be shown: not when the page has sent a
   * message since, or one that did not arrive, reads an answer, or began to read the chat once more.
   */
  beforeLoad: (chatId: string) => () => boolean
  /** Notes the newest run. Returns true when `resumeStream` has something to read. */
  note: (chatId: string, run: ChatRun | undefined) => boolean
}

/**
 * Creates the transport. Sends nothing by itself. Create one for each chat that a page shows, and keep it.
 *
 * @example
 * const [transport] = useState(() => createRunTransport({ run }))
 * const chat = useChat({ id, messages, transport, resume: true })
 */
export function createRunTransport<Message extends UIMessage = UIMessage>({
  api = '/api/chat',
  path = '/events',
  topic: topicOf = topicOfChat,
  run: loaded,
  share,
  headers,
}: RunTransportOptions = {}): RunTransport<Message> {
  const chats = new Map<string, Chat>()
  const storage = createTabStorage()

  function chatOf(chatId: string): Chat {
    const known = chats.get(chatId)
    if (known) return known
    const topic = topicOf(chatId)
    if (!isTopic(topic)) {
      throw new Error(
        `createRunTransport: the chat id ${JSON.stringify(chatId)} makes no topic: name one by the option topic, here and in chatRoute.`,
      )
    }
    const chat: Chat = {
      storage,
      stream: createChatStream(`${path}/${topic}`, { headers, isShared: share === 'tabs' }),
      run: loaded?.topic === topic ? loaded : undefined,
      readRunId: undefined,
      version: 0,
      sends: 0,
      sending: Promise.resolve(),
      hasUnsent: false,
      watches: new Set(),
    }
    chats.set(chatId, chat)
    return chat
  }

  async function ask(query: string, ofCall: HeadersInit = {}, body?: string): Promise<Response> {
    const sent = new Headers(await (typeof headers === 'function' ? headers() : headers))
    for (const [name, value] of new Headers(ofCall)) sent.set(name, value)
    if (body !== undefined) sent.set('content-type', 'application/json')
    const method = body === undefined ? 'GET' : 'POST'
    const response = await fetch(`${api}${query}`, { method, headers: sent, body: body ?? null })
    if (response.ok) return response
    const { detail, code } = parseJsonObject(await response.text()) ?? {}
    throw new ChatRequestError(
      typeof detail === 'string' ? detail : `The chat was answered with status ${response.status}.`,
      response.status,
      typeof code === 'string' ? code : undefined,
    )
  }

  return {
    resumeStreamIsReplay: true,

    async sendMessages({ chatId, messages, trigger, messageId, headers: ofCall, body }) {
      const chat = chatOf(chatId)
      chat.version++
      const send = ++chat.sends
      chat.hasUnsent = true
      const left = chat.stream.leave()
      try {
        // Not with the abort signal: a page that leaves must not take back its message.
        const asking = chat.stream.giveWay(() =>
          ask('', ofCall, JSON.stringify({ ...body, id: chatId, messages, trigger, messageId })),
        )
        chat.sending = Promise.allSettled([asking])
        const response = await asking
        const { run, joined } = (await response.json()) as SentAnswer
        if (!joined) calledTools(storage, run.id).own()
        // `useChat` gives what a tool returned to its newest request alone, so that one has to read the answer.
        if (send !== chat.sends) return endedStream()
        chat.run = run
        chat.hasUnsent = false
        return read(chat, { isOwn: !joined, lastMessageId: messages.at(-1)?.id })
      } finally {
        left?.left()
      }
    },

    async reconnectToStream({ chatId, headers: ofCall }) {
      const chat = chatOf(chatId)
      if (!chat.run) {
        const query = `?chat=${encodeURIComponent(chatId)}`
        const response = await chat.stream.giveWay(() => ask(query, ofCall))
        const run = response.status === 204 ? undefined : ((await response.json()) as ChatRun)
        // Its answer may be in the messages that the page has.
        if (run?.status !== 'running') return null
        chat.run = run
      }
      return isToRead(chat) ? read(chat, { isOwn: false, lastMessageId: undefined }) : null
    },

    async stopRun(chatId) {
      const query = `?chat=${encodeURIComponent(chatId)}&op=stop`
      const chat = chatOf(chatId)
      // Before the server has the message, it has no answer to stop.
      await chat.sending
      await chat.stream.giveWay(() => ask(query, {}, '{}'))
    },

    runs: {
      connection: (chatId) => chatOf(chatId).stream,
      watch(chatId, watch) {
        const chat = chatOf(chatId)
        chat.watches.add(watch)
        const unwatch = chat.stream.watch(watch)
        return () => {
          chat.watches.delete(watch)
          unwatch()
        }
      },
      beforeLoad(chatId) {
        const chat = chatOf(chatId)
        const version = ++chat.version
        return () => chat.version === version && !chat.hasUnsent && !chat.stream.isReading
      },
      note(chatId, run) {
        const chat = chatOf(chatId)
        chat.run = run
        return isToRead(chat)
      },
    },
  }
}

/** A chat, as its page knows it. */
interface Chat {
  storage: TabStorage
  stream: ChatStream
  /** The newest run. */
  run: ChatRun | undefined
  /** The run that was read to its end. */
  readRunId: string | undefined
  /** Counts the messages sent and the times that the chat was read. */
  version: number
  /** Counts the messages sent. */
  sends: number
  /** Resolves when the request that sent the last message is over, answered or not. */
  sending: Promise<unknown>
  /** The page's last message is on its way, or did not arrive: only the page has it. */
  hasUnsent: boolean
  watches: Set<{ ended: () => void }>
}

/** An answer that is complete is in the messages, and one that was read is on the page. */
function isToRead({ run, readRunId }: Chat): boolean {
  return run !== undefined && run.id !== readRunId && !complete.has(run.status)
}

function endedStream(): ReadableStream<UIMessageChunk> {
  return new ReadableStream({ start: (controller) => controller.close() })
}

const complete: ReadonlySet<string> = new Set(['done', 'stopped'])

function read(
  chat: Chat,
  { isOwn, lastMessageId }: { isOwn: boolean; lastMessageId: string | undefined },
): ReturnType<typeof answerChunks> {
  const { run } = chat
  if (!run) throw new Error('There is no run to read.')
  return answerChunks(chat.stream, run, {
    storage: chat.storage,
    lastMessageId,
    onEnd(status) {
      chat.readRunId = run.id
      if (!isOwn && complete.has(status)) for (const { ended } of chat.watches) ended()
    },
  })
}
