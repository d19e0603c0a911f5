/** Start, Stop and Clear. All three are always there; the one the reader most likely wants is primary. */
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import { PlayIcon, StopIcon } from '@/components/ui/icons'
import { isRunning, phaseOf } from './phase'
import type { Stream } from './stream'
import styles from './stream-controls.module.css'

interface StreamControlsProps {
  stream: Stream
  /** What Start does. Default: resumes where the stream was. */
  onStart?: () => void
}

export function StreamControls({
  stream,
  onStart = () => stream.open(),
}: StreamControlsProps): ReactNode {
  const running = isRunning(phaseOf(stream))
  const isEmpty = stream.events.length === 0 && stream.gaps.length === 0

  return (
    <fieldset className={styles.controls} aria-label="Stream">
      <Button look={running ? 'raised' : 'primary'} inactive={running} onClick={onStart}>
        <PlayIcon />
        Start
      </Button>
      <Button look={running ? 'primary' : 'raised'} inactive={!running} onClick={stream.close}>
        <StopIcon />
        Stop
      </Button>
      <Button inactive={isEmpty} onClick={stream.clear}>
        Clear
      </Button>
    </fieldset>
  )
}
