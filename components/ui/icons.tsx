/** The drawings beside words: 16 units square, in the colour of the text, and hidden from screen readers. */
import type { ReactNode } from 'react'

export function PlayIcon(): ReactNode {
  return (
    <Icon>
      <path
        fill="currentColor"
        d="M4.5 3.1v9.8a.8.8 0 0 0 1.2.7l7.5-4.9a.8.8 0 0 0 0-1.4L5.7 2.4a.8.8 0 0 0-1.2.7Z"
      />
    </Icon>
  )
}

export function StopIcon(): ReactNode {
  return (
    <Icon>
      <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" fill="currentColor" />
    </Icon>
  )
}

export function ConnectingIcon(): ReactNode {
  return (
    <Icon>
      <path {...stroke} strokeWidth="1.8" d="M8 2.2A5.8 5.8 0 1 1 2.2 8" />
    </Icon>
  )
}

export function LiveIcon(): ReactNode {
  return (
    <Icon>
      <circle cx="8" cy="8" r="3" fill="currentColor" />
      <circle {...stroke} strokeWidth="1.4" cx="8" cy="8" r="5.9" />
    </Icon>
  )
}

export function AgainIcon(): ReactNode {
  return (
    <Icon>
      <path {...stroke} strokeWidth="1.7" d="M13.2 8A5.2 5.2 0 1 1 11.4 4M11.6 1.4v2.8H8.8" />
    </Icon>
  )
}

export function WaitingIcon(): ReactNode {
  return (
    <Icon>
      <circle
        cx="8"
        cy="8"
        r="4.8"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeDasharray="3 2.03"
      />
    </Icon>
  )
}

export function PauseIcon(): ReactNode {
  return (
    <Icon>
      <path fill="currentColor" d="M4 3.5h2.75v9H4zM9.25 3.5H12v9H9.25z" />
    </Icon>
  )
}

export function CheckIcon(): ReactNode {
  return (
    <Icon>
      <path {...stroke} strokeWidth="2" d="m3 8.6 3.2 3.2L13 5" />
    </Icon>
  )
}

/** An octagon with the cross cut out of it, so that the cross shows whatever is behind. */
export function RefusedIcon(): ReactNode {
  return (
    <Icon>
      <path
        fill="currentColor"
        fillRule="evenodd"
        d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2ZM5.8 4.7 4.7 5.8 6.9 8l-2.2 2.2 1.1 1.1L8 9.1l2.2 2.2 1.1-1.1L9.1 8l2.2-2.2-1.1-1.1L8 6.9Z"
      />
    </Icon>
  )
}

export function BeadIcon(): ReactNode {
  return (
    <Icon>
      <circle cx="8" cy="8" r="5" fill="currentColor" />
    </Icon>
  )
}

export function CopyIcon(): ReactNode {
  return (
    <Icon>
      <path {...stroke} strokeWidth="1.4" d="M5.5 5.5h7v7h-7zM10.5 3.5h-7v7" />
    </Icon>
  )
}

const stroke = {
  fill: 'none',
  stroke: 'currentColor',
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const

function Icon({ children }: { children: ReactNode }): ReactNode {
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      {children}
    </svg>
  )
}
