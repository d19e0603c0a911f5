'use client'
/** Asks for the name of a topic, and opens its page. */
import { useRouter } from 'next/navigation'
import { useId, useState, type ReactNode } from 'react'
import { isTopic } from 'next-sse/client'
import { Button } from '@/components/ui/button'
import fields from '@/components/ui/field.module.css'
import styles from './open-topic.module.css'

export function OpenTopic(): ReactNode {
  const router = useRouter()
  const hintId = useId()
  const [topic, setTopic] = useState('demo')
  const [refused, setRefused] = useState<string>()
  const isRefused = refused === topic

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        const name = topic.trim()
        if (isTopic(name)) router.push(`/topics/${name}`)
        else setRefused(topic)
      }}
    >
      <div className={styles.line}>
        <input
          className={fields.field}
          value={topic}
          onChange={({ target }) => setTopic(target.value)}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          aria-label="Topic name"
          aria-invalid={isRefused}
          aria-describedby={isRefused ? hintId : undefined}
        />
        <Button isSubmit>Open topic</Button>
      </div>
      <p className={styles.hint} id={hintId} role="alert">
        {isRefused && 'Up to 64 letters, digits and _ . - beginning with a letter or digit.'}
      </p>
    </form>
  )
}
