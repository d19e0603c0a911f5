/** The icon of a phase: the same in the pill and at the end of the line. */
import type { ComponentType, ReactNode } from 'react'
import { CheckIcon, ConnectingIcon, LiveIcon, RefusedIcon, StopIcon } from './icons'
import type { Phase } from './phase'

const icons: Record<Phase, ComponentType> = {
  connecting: ConnectingIcon,
  live: LiveIcon,
  stopped: StopIcon,
  ended: CheckIcon,
  refused: RefusedIcon,
  unreachable: RefusedIcon,
  lost: RefusedIcon,
}

export function PhaseIcon({ phase }: { phase: Phase }): ReactNode {
  const PhaseDrawing = icons[phase]
  return <PhaseDrawing />
}
