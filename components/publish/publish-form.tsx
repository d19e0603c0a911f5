'use client'
/** A form to write an event and publish it. */
import { useId, type KeyboardEvent, type ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import fields from '@/components/ui/field.module.css'
import { formatBytes } from '@/components/ui/format'
import { isJson } from './publish-draft'
import styles from './publish-form.module.css'
import { isTypeRefused, PublishNote } from './publish-note'
import { usePublisher } from './use-publisher'

export function PublishForm({ topic }: { topic: string }): ReactNode {
  const id = useId()
  const { draft, change, isSending, outcome, publish } = usePublisher(topic)
  const typeRefused = isTypeRefused(outcome, draft)

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
        onChange={({ target }) => change({ type: target.value })}
        onKeyDown={submitByKeys}
        placeholder="message"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={typeRefused}
        aria-describedby={typeRefused ? `${id}note` : undefined}
      />
      <label className={fields.label} htmlFor={`${id}data`}>
        Data
      </label>
      <textarea
        id={`${id}data`}
        className={fields.field}
        value={draft.data}
        onChange={({ target }) => change({ data: target.value })}
        onKeyDown={submitByKeys}
        rows={6}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}hint`}
      />
      <p className={styles.hint} id={`${id}hint`}>
        <span>{formatHint(draft.data)}</span>
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

function formatHint(data: string): string {
  if (isJson(data)) return 'Sent as JSON'
  return /^\s*[[{]/.test(data) ? 'Sent as text: not valid JSON' : 'Sent as text'
}

function submitByKeys(event: KeyboardEvent<HTMLInputElement | HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
  // Some browsers send the form on this key, others do not.
  event.preventDefault()
  event.currentTarget.form?.requestSubmit()
}
