/** The drawings of the list, as those of icons.tsx. */
import type { ReactNode } from 'react'

export function SearchIcon(): ReactNode {
  return (
    <Stroke width={1.5} path="M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2" />
  )
}

export function ChevronIcon(): ReactNode {
  return <Stroke width={1.5} path="m6 4 4 4-4 4" />
}

export function DownIcon(): ReactNode {
  return <Stroke width={1.8} path="M8 3v10M3.8 8.8 8 13l4.2-4.2" />
}

function Stroke({ width, path }: { width: number; path: string }): ReactNode {
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      <path
        fill="none"
        stroke="currentColor"
        strokeWidth={width}
        strokeLinecap="round"
        strokeLinejoin="round"
        d={path}
      />
    </svg>
  )
}
