'use client'
/** A chat: its messages, how the answer stands, and the field for the next message. */
import { useChat } from '@ai-sdk/react'
import type { UIMessage } from 'ai'
import { createRunTransport, useChatRuns, type ChatRun } from 'next-sse/ai/react'
import { useState, type ReactNode } from 'react'
import { ChatMessages } from './chat-messages'
import styles from './chat-room.module.css'
import { Composer } from './composer'
import { useFollowedEnd } from './use-followed-end'

interface LoadedChat {
  run: ChatRun | undefined
  messages: UIMessage[]
}

export function ChatRoom({ id, run, messages: loaded }: LoadedChat & { id: string }): ReactNode {
  const [transport] = useState(() => createRunTransport({ run, share: 'tabs' }))
  const chat = useChat({ id, messages: loaded, transport, resume: true })
  const connection = useChatRuns(chat, transport, { load: () => loadChat(id) })
  const { messages, status, error, sendMessage, regenerate } = chat
  const isBusy = status === 'submitted' || status === 'streaming'
  useFollowedEnd()

  return (
    <>
      <ChatMessages
        messages={messages}
        isBusy={isBusy}
        isStarting={status === 'submitted'}
        error={error}
        connection={connection}
        onRegenerate={() => void regenerate()}
      />
      <div className={styles.foot}>
        <Composer
          isBusy={isBusy}
          onSend={(text) => void sendMessage({ text })}
          onStop={() => {
            // Without an answer the button stays, and can be pressed again.
            transport.stopRun(id).catch(() => {})
          }}
        />
      </div>
    </>
  )
}

async function loadChat(id: string): Promise<LoadedChat> {
  const response = await fetch(`/chat/${id}/messages`)
  if (!response.ok) throw new Error(`The chat was answered with status ${response.status}.`)
  return (await response.json()) as LoadedChat
}
