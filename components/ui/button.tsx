/** A button. An inactive button does nothing but can keep the focus, so it is `aria-disabled` rather than `disabled`. */
import type { ReactNode } from 'react'
import styles from './button.module.css'

export interface ButtonProps {
  children: ReactNode
  onClick?: () => void
  /** Submits its form instead of calling `onClick`. */
  isSubmit?: boolean
  /** `primary` at most once in a group; `quiet` inside a box that has its own border. */
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
