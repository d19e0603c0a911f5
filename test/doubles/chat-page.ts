/** For tests of chats: a page with the real `useChat`, in the way in which an app writes it. */
import { act, renderHook } from '@testing-library/react'
import { useChat } from '@ai-sdk/react'
import { lastAssistantMessageIsCompleteWithToolCalls, type UIMessage } from 'ai'
import { useState } from 'react'
import { expect, vi } from 'vitest'
import type { ChatConnection } from '@/client/ai/chat-stream'
import { createRunTransport, type RunTransport } from '@/client/ai/run-transport'
import { useChatRuns } from '@/hooks/use-chat-runs'
import type { ChatRun } from '@/protocol/chat-run'
import { modelCall, origin, sse, until, type ModelCall } from './chat-origin'

let chats = 0

export interface Page {
  chat: ReturnType<typeof useChat>
  transport: RunTransport
  connection: ChatConnection
  /** The texts of all messages. */
  texts: () => string[]
  /** The tool calls that the page was asked to carry out. */
  calls: string[]
  tab: Tab
  leave: () => void
}

/** A tab of the browser. It keeps what a page of it has stored. */
export type Tab = Map<string, string>

async function load(id: string): Promise<{ run: ChatRun | undefined; messages: UIMessage[] }> {
  const run = await sse.runOf(`chat.${id}`)
  return { run, messages: origin.stored.get(id) ?? [] }
}

/** A page that shows the chat, in a tab of its own or, after a reload, in the same. */
export async function openPage(id: string, tab: Tab = new Map<string, string>()): Promise<Page> {
  const loaded = await load(id)
  const calls: string[] = []
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => tab.get(key) ?? null,
    setItem: (key: string, value: string) => tab.set(key, value),
    removeItem: (key: string) => tab.delete(key),
  })
  const { result, unmount } = renderHook(
    () => {
      const [transport] = useState(() => createRunTransport({ ...urls(), run: loaded.run }))
      const chat = useChat({
        id,
        messages: loaded.messages,
        transport,
        resume: true,
        onToolCall({ toolCall }) {
          calls.push(toolCall.toolCallId)
        },
        sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
      })
      const connection = useChatRuns(chat, transport, { load: () => load(id) })
      return { chat, transport, connection }
    },
    { reactStrictMode: true },
  )
  return {
    get chat() {
      return result.current.chat
    },
    get transport() {
      return result.current.transport
    },
    get connection() {
      return result.current.connection
    },
    texts: () => result.current.chat.messages.map(textOf),
    calls,
    tab,
    leave: unmount,
  }
}

function urls(): { api: string; path: string } {
  return { api: `${origin.url}/api/chat`, path: `${origin.url}/events` }
}

export function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('')
}

export function send(page: Page, text: string): void {
  act(() => void page.chat.sendMessage({ text }))
}

export function newChat(): string {
  return `c${++chats}`
}

export async function shows(page: Page, status: string, ...texts: string[]): Promise<void> {
  await until(() => {
    expect([page.chat.status, ...page.texts()]).toEqual([status, ...texts])
  })
}

/** Sends `Hello?`, and returns the model when each of `pages` shows the first word of its answer. */
export async function beginAnswer(page: Page, ...pages: Page[]): Promise<ModelCall> {
  send(page, 'Hello?')
  const model = await modelCall()
  model.say('One ')
  for (const each of pages) await shows(each, 'streaming', 'Hello?', '[step-start]One ')
  return model
}
