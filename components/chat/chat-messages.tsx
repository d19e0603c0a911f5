/** The messages of a chat, and under them how the newest answer stands. */
import type { UIMessage } from 'ai'
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import styles from './chat-messages.module.css'

export interface ChatMessagesProps {
  messages: readonly UIMessage[]
  /** An answer is being written. */
  isBusy: boolean
  /** It has no words yet. */
  isStarting: boolean
  error: Error | undefined
  onRegenerate: () => void
}

export function ChatMessages(props: ChatMessagesProps): ReactNode {
  const { messages, isBusy, isStarting, error, onRegenerate } = props

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
        <output>{error ? error.message : wordsFor(isBusy, isStarting)}</output>
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

function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
