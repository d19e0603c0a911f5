/**
 * The one connection that a page has for a chat. It follows the topic from answer to answer, and goes back to the beginning of an answer
 * when it is to be read from there. Without a reader and without anybody who waits for answers there is no connection.
 */
import type { RequestHeaders } from '@/client/connection/frame-source'
import { createEventSourceClient, type EventSourceClient } from '@/client/event-source-client'
import { createListeners } from '@/client/listeners'
import { joinTabs } from '@/client/tabs/join-tabs'
import type { StreamError } from '@/client/stream-error'
import type { StreamState } from '@/client/stream-state'
import type { AnswerEvents, ChatRun } from '@/protocol/chat-run'
import { parseJsonObject } from '@/protocol/json'
import { joinPart, type RunEnd, type RunEvents } from '@/protocol/run'

/** Reads one answer. */
export interface AnswerReader {
  base: (base: AnswerEvents['run.base']) => void
  chunks: (chunks: AnswerEvents['run.chunks']) => void
  /** The answer has ended. Nothing follows. */
  end: (status: RunEnd) => void
  /** Another answer is read from now on. Nothing follows. */
  left: () => void
  /** The answer can't be read to its end: the server refused the stream, or events are missing. Nothing follows. */
  fail: (error: StreamError | undefined) => void
}

/** Waits for answers that this page did not ask for. */
export interface AnswerWatch {
  /** There is an answer that the page does not read, or may be one. */
  found: () => void
}

/**
 * The state of the chat's stream, in the words of useTopics. `idle`: the page has no stream now. It is hidden and reads no answer, or one
 * of its requests is under way.
 */
export type ChatConnection = Pick<StreamState, 'status' | 'attempt' | 'retryAt' | 'error'>

/** The state without a stream. */
export const idleConnection: ChatConnection = {
  status: 'idle',
  attempt: 0,
  retryAt: undefined,
  error: undefined,
}

export interface ChatStream {
  /** The same object until something of it changes. */
  getConnection: () => ChatConnection
  /** Calls `listener` after every change of the connection. Returns a function that removes it. */
  onConnection: (listener: () => void) => () => void
  /** Reads the run from its beginning. The reader before it hears nothing more. Returns a function that leaves. */
  read: (run: ChatRun, reader: AnswerReader) => () => void
  readonly isReading: boolean
  /** Leaves the answer that is read, if any. Returns its reader. */
  leave: () => AnswerReader | undefined
  /** Calls `found` until the returned function is called. Not while the page is hidden, but then when it is shown again. */
  watch: (watch: AnswerWatch) => () => void
  /**
   * Does without the connection while `ask` is under way, unless tabs share it: a browser has six for each server, and as many tabs
   * could keep a request waiting for ever.
   */
  giveWay: <T>(ask: () => Promise<T>) => Promise<T>
}

interface ChatStreamOptions {
  /** Sent with each request for the stream. */
  headers: RequestHeaders | undefined
  /** All tabs read over one connection. Not with `headers`. */
  isShared: boolean
}

/** `url` is that of the topic, without a query. */
export function createChatStream(
  url: string,
  { headers, isShared }: ChatStreamOptions,
): ChatStream {
  const watches = new Set<AnswerWatch>()
  const changes = createListeners<void>()
  let connection = idleConnection
  let client: EventSourceClient | undefined
  /** Where the connection is, or goes on. Empty: with what is published from now on. */
  let cursor = ''
  let reading: { runId: string; reader: AnswerReader } | undefined
  /** The run whose events follow, if the connection was there when it began. */
  let current: string | undefined
  /** The run that follows is not read, and nobody was told of it yet. */
  let isUntold = false
  /** The texts of the parts of a value that has not arrived completely. */
  let parts: readonly string[] = []
  let waysGiven = 0

  function update(): void {
    const isWatched = watches.size > 0 && document.visibilityState !== 'hidden'
    const isNeeded = (reading !== undefined || isWatched) && waysGiven === 0
    if (!isNeeded) close()
    else if (!client) open()
    tellConnection()
  }

  function tellConnection(): void {
    const { status, attempt, retryAt, error } = client?.getState() ?? idleConnection
    const isSame =
      status === connection.status &&
      attempt === connection.attempt &&
      retryAt === connection.retryAt &&
      error === connection.error
    if (isSame) return
    connection = { status, attempt, retryAt, error }
    changes.tell()
  }

  function open(): void {
    const isFromNow = cursor === ''
    const opened = createEventSourceClient({
      url: `${url}?envelope=1`,
      // EventSource can't send headers.
      ...(headers && { transport: 'fetch', headers }),
      join: isShared ? joinTabs : undefined,
      initialLastEventId: cursor,
      maxEvents: 1,
    })
    client = opened
    let hasOpened = false
    opened.onEvent(({ data, id }) => {
      cursor = id
      const { type, data: text } = parseJsonObject(data) ?? {}
      if (typeof type === 'string' && typeof text === 'string') take(type, text)
    })
    opened.onGap(() => {
      // What is missing may be of the answer, or all that is known of it.
      leave()?.fail(undefined)
      tellFound()
    })
    opened.subscribe(() => {
      const { status, error } = opened.getState()
      if (client !== opened) return
      tellConnection()
      if (status === 'failed' || status === 'closed') leave()?.fail(error)
      // An answer may have begun after the page was loaded.
      if (status !== 'open' || hasOpened) return
      hasOpened = true
      if (isFromNow) tellFound()
    })
    opened.open()
  }

  function close(): void {
    const closed = client
    client = undefined
    closed?.close()
  }

  function leave(): AnswerReader | undefined {
    const left = reading?.reader
    reading = undefined
    return left
  }

  function tellFound(): void {
    isUntold = false
    for (const { found } of watches) found()
  }

  function take(type: string, text: string): void {
    switch (type) {
      case 'run.begin':
        current = (JSON.parse(text) as RunEvents['run.begin']).run
        parts = []
        isUntold = current !== reading?.runId
        return
      case 'run.part': {
        const { texts, value } = joinPart(parts, text)
        parts = texts
        if (value) take(value.type, value.data)
        return
      }
      case 'run.base':
      case 'run.chunks':
        if (reading?.runId === current) hand(type, text)
        // Not before this: now the app has stored the messages that are answered.
        else if (isUntold) tellFound()
        return
      case 'run.end': {
        const { run, status } = JSON.parse(text) as RunEvents['run.end']
        if (reading?.runId === run) {
          leave()?.end(status)
          update()
        } else if (isUntold) tellFound()
      }
    }
  }

  function hand(type: 'run.base' | 'run.chunks', text: string): void {
    const value = JSON.parse(text) as unknown
    if (type === 'run.base') reading?.reader.base(value as AnswerEvents['run.base'])
    else reading?.reader.chunks(value as AnswerEvents['run.chunks'])
  }

  return {
    getConnection: () => connection,
    onConnection: changes.add,
    read(run, reader) {
      leave()?.left()
      close()
      reading = { runId: run.id, reader }
      ;({ cursor } = run)
      current = run.id
      parts = []
      isUntold = false
      update()
      return () => {
        if (reading?.reader !== reader) return
        leave()
        update()
      }
    },
    get isReading() {
      return reading !== undefined
    },
    leave() {
      const left = leave()
      update()
      return left
    },
    watch(watch) {
      watches.add(watch)
      document.addEventListener('visibilitychange', update)
      update()
      return () => {
        watches.delete(watch)
        if (watches.size === 0) document.removeEventListener('visibilitychange', update)
        update()
      }
    },
    async giveWay(ask) {
      if (client?.getState().tabs !== undefined) return await ask()
      waysGiven++
      update()
      try {
        return await ask()
      } finally {
        waysGiven--
        update()
      }
    },
  }
}
