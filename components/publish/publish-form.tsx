'use client'
/** Where an event is written and published. */
import { useId, type KeyboardEvent, type ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import fields from '@/components/ui/field.module.css'
import { formatBytes } from '@/components/ui/format'
import { isJson } from './publish-draft'
import styles from './publish-form.module.css'
import { isAboutType, PublishNote } from './publish-note'
import { usePublisher } from './use-publisher'

export function PublishForm({ topic }: { topic: string }): ReactNode {
  const id = useId()
  const { draft, write, isSending, outcome, publish } = usePublisher(topic)
  const isTypeRefused = isAboutType(outcome, draft)

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        void publish()
      }}
    >
      <label className={fields.label} htmlFor={`${id}type`}>
        Type <small>optional</small>
      </label>
      <input
        id={`${id}type`}
        className={fields.field}
        value={draft.type}
        onChange={({ target }) => write({ type: target.value })}
        onKeyDown={submitByKeys}
        placeholder="message"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={isTypeRefused}
        aria-describedby={isTypeRefused ? `${id}note` : undefined}
      />
      <label className={fields.label} htmlFor={`${id}data`}>
        Data
      </label>
      <textarea
        id={`${id}data`}
        className={fields.field}
        value={draft.data}
        onChange={({ target }) => write({ data: target.value })}
        onKeyDown={submitByKeys}
        rows={6}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}hint`}
      />
      <p className={styles.hint} id={`${id}hint`}>
        <span>{formOf(draft.data)}</span>
        <span>{formatBytes(draft.data)}</span>
      </p>
      <div className={styles.act}>
        <Button isSubmit inactive={isSending}>
          Publish
        </Button>
        <span className={styles.keys}>
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
      </div>
      <PublishNote id={`${id}note`} outcome={outcome} />
    </form>
  )
}

function formOf(data: string): string {
  if (isJson(data)) return 'Sent as JSON'
  return /^\s*[[{]/.test(data) ? 'Sent as text: not valid JSON' : 'Sent as text'
}

function submitByKeys(event: KeyboardEvent<HTMLInputElement | HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
  // Browsers differ in whether it sends the form by itself.
  event.preventDefault()
  event.currentTarget.form?.requestSubmit()
}
