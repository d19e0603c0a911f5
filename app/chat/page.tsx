/** `/chat`: begins a chat, which has an address of its own. */
import { redirect } from 'next/navigation'
import { connection } from 'next/server'
import { newChatId } from './chats'

export default async function NewChatPage(): Promise<never> {
  await connection()
  redirect(`/chat/${newChatId()}`)
}
