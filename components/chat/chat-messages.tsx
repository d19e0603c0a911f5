/** The messages of a chat, and under them how the newest answer stands. */
import type { UIMessage } from 'ai'
import type { ChatConnection } from 'next-sse/ai/react'
import type { ReactNode } from 'react'
import { isWaiting, phaseOf } from '@/components/stream/phase'
import { StatusPill } from '@/components/stream/status-pill'
import { pillWords } from '@/components/stream/stream-words'
import { Button } from '@/components/ui/button'
import styles from './chat-messages.module.css'

export interface ChatMessagesProps {
  messages: readonly UIMessage[]
  /** An answer is being written. */
  isBusy: boolean
  /** It has no words yet. */
  isStarting: boolean
  error: Error | undefined
  connection: ChatConnection
  onRegenerate: () => void
}

export function ChatMessages(props: ChatMessagesProps): ReactNode {
  const { messages, isBusy, isStarting, error, connection, onRegenerate } = props
  const phase = phaseOf(connection)
  // Then nobody knows whether the answer is still written.
  const isAway = isWaiting(phase) || phase === 'refused'

  return (
    <>
      <ol className={styles.messages} aria-label="Messages">
        {messages.map((message) => (
          <li key={message.id} className={styles[message.role]}>
            <span className={styles.name}>{message.role === 'user' ? 'You' : 'Answer'}</span>
            <p>{textOf(message)}</p>
          </li>
        ))}
      </ol>
      {messages.length === 0 && (
        <p className={styles.empty}>
          Ask anything. A number says how many words you want, up to 600.
        </p>
      )}
      <div className={styles.state} data-kind={error ? 'failed' : undefined}>
        <output>
          {error ? wordsOf(error) : !isAway && wordsFor(isBusy, isStarting)}
          {isAway && (
            <StatusPill stream={connection} words={pillWords(connection, 'chat')} isPart />
          )}
        </output>
        {!isBusy && messages.length > 0 && (
          <Button look={error ? 'raised' : 'quiet'} onClick={onRegenerate}>
            Regenerate
          </Button>
        )}
      </div>
    </>
  )
}

function wordsFor(isBusy: boolean, isStarting: boolean): string {
  if (isStarting) return 'Waiting for the first word…'
  return isBusy ? 'Writing…' : ''
}

function wordsOf(error: Error): string {
  // That of `fetch`, whose words are those of the browser.
  return error instanceof TypeError ? 'The server did not answer.' : error.message
}

function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
