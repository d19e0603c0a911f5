/** The chats of this app. A chat's address is all that one needs to read it and to write in it. */
import type { UIMessage } from 'ai'
import type { ChatRun } from 'next-sse/ai/react'
import { change, query } from '@/app/database'
import { sse } from '@/app/sse'

/** A chat as a page loads it. */
export interface LoadedChat {
  /** The newest answer, as it stood before the messages were read. */
  run: ChatRun | undefined
  messages: UIMessage[]
}

export function newChatId(): string {
  return crypto.randomUUID()
}

export function isChatId(value: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
}

export async function loadChat(id: string): Promise<LoadedChat> {
  const run = await sse.runOf(`chat.${id}`)
  const [row] = query<{ messages: string }>('SELECT messages FROM chat WHERE id = ?', id)
  return { run, messages: row ? (JSON.parse(row.messages) as UIMessage[]) : [] }
}

export function saveChat(id: string, messages: readonly UIMessage[]): void {
  change(
    `INSERT INTO chat (id, messages) VALUES (?, ?)
     ON CONFLICT (id) DO UPDATE SET messages = excluded.messages`,
    id,
    JSON.stringify(messages),
  )
}
