/** The icon of a phase: in the pill and, but for one, at the end of the line. */
import type { ComponentType, ReactNode } from 'react'
import {
  AgainIcon,
  CheckIcon,
  ConnectingIcon,
  LiveIcon,
  PauseIcon,
  RefusedIcon,
  StopIcon,
  WaitingIcon,
} from '@/components/ui/icons'
import type { Phase } from './phase'

const icons: Record<Phase, ComponentType> = {
  connecting: ConnectingIcon,
  live: LiveIcon,
  reconnecting: AgainIcon,
  paused: PauseIcon,
  stopped: StopIcon,
  ended: CheckIcon,
  refused: RefusedIcon,
}

export function PhaseIcon({ phase }: { phase: Phase }): ReactNode {
  const PhaseDrawing = icons[phase]
  return <PhaseDrawing />
}

/** At the end of the line a stream that reconnects has an open place, not a second arrow. */
export function LineEndIcon({ phase }: { phase: Phase }): ReactNode {
  return phase === 'reconnecting' ? <WaitingIcon /> : <PhaseIcon phase={phase} />
}
