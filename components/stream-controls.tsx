/** Start, Stop and Clear, always all three in their places. The one a reader most likely wants is primary. */
import type { ReactNode } from 'react'
import { Button } from './button'
import { PlayIcon, StopIcon } from './icons'
import styles from './stream-controls.module.css'

interface StreamControlsProps {
  running: boolean
  empty: boolean
  onStart: () => void
  onStop: () => void
  onClear: () => void
}

export function StreamControls({
  running,
  empty,
  onStart,
  onStop,
  onClear,
}: StreamControlsProps): ReactNode {
  return (
    <fieldset className={styles.controls} aria-label="Stream">
      <Button look={running ? 'raised' : 'primary'} inactive={running} onClick={onStart}>
        <PlayIcon />
        Start
      </Button>
      <Button look={running ? 'primary' : 'raised'} inactive={!running} onClick={onStop}>
        <StopIcon />
        Stop
      </Button>
      <Button inactive={empty} onClick={onClear}>
        Clear
      </Button>
    </fieldset>
  )
}
