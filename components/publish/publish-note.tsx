/** Says how publishing went, and announces it. */
import type { ReactNode } from 'react'
import { formatBytes, formatId } from '@/components/ui/format'
import { AgainIcon, CheckIcon, RefusedIcon } from '@/components/ui/icons'
import type { Draft, Outcome, Refusal } from './publish-draft'
import styles from './publish-note.module.css'

interface PublishNoteProps {
  id: string
  outcome: Outcome | undefined
}

const icons = { published: CheckIcon, refused: RefusedIcon, unanswered: AgainIcon }

export function PublishNote({ id, outcome }: PublishNoteProps): ReactNode {
  const note = outcome && noteFor(outcome)
  const OutcomeIcon = icons[outcome?.kind ?? 'published']

  return (
    <output id={id} className={styles.note} data-kind={outcome?.kind}>
      {note && (
        <>
          <OutcomeIcon />
          <span>
            <b>{note.headline}</b> {note.rest}
          </span>
        </>
      )}
    </output>
  )
}

/** True when the server refused the draft's type. */
export function isTypeRefused(outcome: Outcome | undefined, { type }: Draft): boolean {
  if (outcome?.kind !== 'refused' || outcome.draft.type !== type) return false
  return outcome.code === 'reserved-type' || outcome.code === 'invalid-type'
}

function noteFor(outcome: Outcome): { headline: string; rest: string } {
  if (outcome.kind === 'published') {
    return { headline: 'Published', rest: `as ${formatId(outcome.id)}.` }
  }
  if (outcome.kind === 'unanswered') {
    const { status } = outcome
    return {
      headline: status === undefined ? 'No answer came.' : `The server answered ${status}.`,
      rest: 'The event may or may not have been published; publishing again is safe.',
    }
  }
  const { draft, code } = outcome
  if (code === 'reserved-type') {
    return { headline: `“${draft.type}” is reserved.`, rest: 'Choose another type.' }
  }
  if (code === 'invalid-type') {
    const rest = 'Use up to 128 letters, digits and _ . : / - without spaces.'
    return { headline: `“${draft.type}” is not a valid type.`, rest }
  }
  return { headline: 'Not published.', rest: reasonFor(outcome) }
}

function reasonFor({ draft, status, code, detail, retryAfterS }: Refusal): string {
  if (code === 'empty-body') return 'Write some data first.'
  // Only the operator can fix this: the server says how.
  if (code === 'secret-not-set' && detail !== undefined) return detail
  switch (status) {
    case 400:
      return 'The server could not read this.'
    case 401:
      return 'Sign in first.'
    case 403:
      return 'You may not write to this topic.'
    case 413:
      return `${formatBytes(draft.data)} is over the limit.`
    case 415:
      return 'Send text, JSON or NDJSON.'
    case 429:
      return `Too many at once; try again${retryAfterS === undefined ? '' : ` in ${retryAfterS} s`}.`
    case 503:
      return 'The server is busy; try again.'
    default:
      return `The server answered ${status}.`
  }
}
