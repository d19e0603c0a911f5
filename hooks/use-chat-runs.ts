'use client'
/** Joins answers that were asked for in another tab or on another device to a chat that is open. */
import { useEffect, useEffectEvent } from 'react'
import type { UIMessage } from 'ai'
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
 * Shows answers from elsewhere as they are written. Takes one connection while the page is visible, or an answer is read.
 *
 * @example
 * const chat = useChat({ id, messages, transport, resume: true })
 * useChatRuns(chat, transport, { load: () => loadChat(id) })
 */
export function useChatRuns<Message extends UIMessage>(
  chat: JoiningChat<Message>,
  { runs }: RunTransport<Message>,
  { load }: UseChatRunsOptions<Message>,
): void {
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
}
