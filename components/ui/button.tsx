/** A button. An inactive one does nothing but stays where it is and keeps the focus, so `disabled` is not for it. */
import type { ReactNode } from 'react'
import styles from './button.module.css'

export interface ButtonProps {
  children: ReactNode
  onClick?: () => void
  /** Sends the form it is in, instead of `onClick`. */
  isSubmit?: boolean
  /** `primary` at most once in a group; `quiet` inside something else. */
  look?: 'raised' | 'primary' | 'quiet'
  isSmall?: boolean
  inactive?: boolean
}

export function Button({
  children,
  onClick,
  isSubmit = false,
  look = 'raised',
  isSmall = false,
  inactive = false,
}: ButtonProps): ReactNode {
  return (
    <button
      type={isSubmit ? 'submit' : 'button'}
      className={`${styles.button} ${styles[look]} ${isSmall ? styles.small : ''}`}
      aria-disabled={inactive}
      onClick={inactive ? undefined : onClick}
    >
      {children}
    </button>
  )
}
