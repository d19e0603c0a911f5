/** Icons beside words: 16 units square, in the colour of the text, and hidden from screen readers. */
import type { ReactNode } from 'react'

export function PlayIcon(): ReactNode {
  return (
    <Shape path="M4.5 3.1v9.8a.8.8 0 0 0 1.2.7l7.5-4.9a.8.8 0 0 0 0-1.4L5.7 2.4a.8.8 0 0 0-1.2.7Z" />
  )
}

export function StopIcon(): ReactNode {
  return (
    <Icon>
      <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" fill="currentColor" />
    </Icon>
  )
}

export function PauseIcon(): ReactNode {
  return <Shape path="M4 3.5h2.75v9H4zM9.25 3.5H12v9H9.25z" />
}

export function ConnectingIcon(): ReactNode {
  return <Line width={1.8} path="M8 2.2A5.8 5.8 0 1 1 2.2 8" />
}

export function LiveIcon(): ReactNode {
  return (
    <Icon>
      <circle cx="8" cy="8" r="3" fill="currentColor" />
      <circle {...line} strokeWidth="1.4" cx="8" cy="8" r="5.9" />
    </Icon>
  )
}

export function AgainIcon(): ReactNode {
  return <Line width={1.7} path="M13.2 8A5.2 5.2 0 1 1 11.4 4M11.6 1.4v2.8H8.8" />
}

export function WaitingIcon(): ReactNode {
  return (
    <Icon>
      <circle {...dashes} strokeWidth="1.8" cx="8" cy="8" r="4.8" />
    </Icon>
  )
}

/** An octagon with the cross cut out of it, so that the cross shows the background. */
export function RefusedIcon(): ReactNode {
  return (
    <Shape path="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2ZM5.8 4.7 4.7 5.8 6.9 8l-2.2 2.2 1.1 1.1L8 9.1l2.2 2.2 1.1-1.1L9.1 8l2.2-2.2-1.1-1.1L8 6.9Z" />
  )
}

export function BeadIcon(): ReactNode {
  return (
    <Icon>
      <circle cx="8" cy="8" r="5" fill="currentColor" />
    </Icon>
  )
}

export function CheckIcon(): ReactNode {
  return <Line width={2} path="m3 8.6 3.2 3.2L13 5" />
}

export function CopyIcon(): ReactNode {
  return <Line width={1.4} path="M5.5 5.5h7v7h-7zM10.5 3.5h-7v7" />
}

export function SearchIcon(): ReactNode {
  return <Line width={1.5} path="M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2" />
}

export function ChevronIcon(): ReactNode {
  return <Line width={1.5} path="m6 4 4 4-4 4" />
}

export function DownIcon(): ReactNode {
  return <Line width={1.8} path="M8 3v10M3.8 8.8 8 13l4.2-4.2" />
}

const line = { fill: 'none', stroke: 'currentColor', strokeLinecap: 'round' } as const
const dashes = { fill: 'none', stroke: 'currentColor', strokeDasharray: '3 2.03' }

function Line({ width, path }: { width: number; path: string }): ReactNode {
  return (
    <Icon>
      <path {...line} strokeLinejoin="round" strokeWidth={width} d={path} />
    </Icon>
  )
}

function Shape({ path }: { path: string }): ReactNode {
  return (
    <Icon>
      <path fill="currentColor" fillRule="evenodd" d={path} />
    </Icon>
  )
}

function Icon({ children }: { children: ReactNode }): ReactNode {
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      {children}
    </svg>
  )
}
