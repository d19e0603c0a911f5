/** The field for the next message. While an answer is written, its button stops the answer. */
import { useState, type KeyboardEvent, type ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import fields from '@/components/ui/field.module.css'
import styles from './composer.module.css'

export interface ComposerProps {
  isBusy: boolean
  onSend: (text: string) => void
  onStop: () => void
}

export function Composer({ isBusy, onSend, onStop }: ComposerProps): ReactNode {
  const [text, setText] = useState('')

  function send(): void {
    if (isBusy || text.trim() === '') return
    onSend(text.trim())
    setText('')
  }

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        className={`${fields.field} ${styles.field}`}
        aria-label="Message"
        placeholder="Message"
        rows={1}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={submitByEnter}
      />
      {isBusy ? (
        <Button onClick={onStop}>Stop</Button>
      ) : (
        <Button look="primary" isSubmit inactive={text.trim() === ''}>
          Send
        </Button>
      )}
    </form>
  )
}

function submitByEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  // While a word is being composed, Enter belongs to the input method.
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
  event.preventDefault()
  event.currentTarget.form?.requestSubmit()
}
