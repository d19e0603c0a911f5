/** `/chat/{chat}`: a chat by `useChat`. An answer is written on the server, whether anybody looks at it or not. */
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { isChatId, loadChat } from '@/app/chat/chats'
import { ChatRoom } from '@/components/chat/chat-room'
import { SiteHeader } from '@/components/ui/site-header'
import styles from './page.module.css'

export const metadata: Metadata = { title: 'Chat' }

interface ChatPageProps {
  params: Promise<{ chat: string }>
}

export default async function ChatPage({ params }: ChatPageProps): Promise<ReactNode> {
  await connection()
  const { chat } = await params
  if (!isChatId(chat)) notFound()
  const { run, messages } = await loadChat(chat)

  return (
    <div className={styles.page}>
      <SiteHeader />
      <main className={styles.main}>
        <h1 className={styles.title}>Chat</h1>
        <p className={styles.lede}>
          No model and no network: a chain of words on this server makes up the answers. Reload the
          page, open its address in another tab, or close it and come back. The answer goes on.
        </p>
        <noscript>
          <p className={styles.lede}>This page needs JavaScript.</p>
        </noscript>
        <ChatRoom key={chat} id={chat} run={run} messages={messages} />
      </main>
    </div>
  )
}
