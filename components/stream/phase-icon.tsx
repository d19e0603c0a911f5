/** The icon of a phase: one for the pill, one for the end of the line. They differ only while reconnecting. */
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
  const Icon = icons[phase]
  return <Icon />
}

/** A reconnecting stream ends in a dashed circle, so that the page does not show the same arrow twice. */
export function LineEndIcon({ phase }: { phase: Phase }): ReactNode {
  return phase === 'reconnecting' ? <WaitingIcon /> : <PhaseIcon phase={phase} />
}
