'use client'
/** Joins answers that were asked for in another tab or on another device to a chat that is open. */
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import type { UIMessage } from 'ai'
import { idleConnection, type ChatConnection } from '@/client/ai/chat-stream'
import type { RunTransport } from '@/client/ai/run-transport'
import type { ChatRun } from '@/protocol/chat-run'

export interface UseChatRunsOptions<Message extends UIMessage> {
  /** Reads the chat again: `run` is what `sse.runOf` says, asked before `messages` are read. */
  load: () => Promise<{ run: ChatRun | undefined; messages: Message[] }>
}

/** What `useChat` returned. */
export interface JoiningChat<Message extends UIMessage> {
  readonly id: string
  setMessages: (messages: Message[]) => void
  resumeStream: () => Promise<void>
  clearError: () => void
}

/**
 * Shows answers from elsewhere as they are written. Takes one connection while the page is visible, or an answer is read. Returns how the
 * connection stands: `useChat` does not know when an answer waits for its server.
 *
 * @example
 * const chat = useChat({ id, messages, transport, resume: true })
 * const connection = useChatRuns(chat, transport, { load: () => loadChat(id) })
 */
export function useChatRuns<Message extends UIMessage>(
  chat: JoiningChat<Message>,
  { runs }: RunTransport<Message>,
  { load }: UseChatRunsOptions<Message>,
): ChatConnection {
  const { id } = chat
  const join = useEffectEvent(async () => {
    const isCurrent = runs.beforeLoad(id)
    const { run, messages } = await load()
    if (!isCurrent()) return
    chat.setMessages(messages)
    if (runs.note(id, run)) await chat.resumeStream()
    else if (run?.status === 'done') chat.clearError()
  })

  useEffect(() => {
    const joinQuietly = (): void => {
      // The next answer is another chance.
      join().catch(() => {})
    }
    return runs.watch(id, { found: joinQuietly, ended: joinQuietly })
  }, [runs, id])

  const { getConnection, onConnection } = runs.connection(id)
  return useSyncExternalStore(onConnection, getConnection, () => idleConnection)
}
