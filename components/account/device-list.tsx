/** The devices that are signed in to an account, each with a button that signs it out. */
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import styles from './device-list.module.css'

interface DeviceListProps {
  devices: readonly {
    id: string
    name: string
    /** Milliseconds since the Unix epoch. */
    signedInAt: number
    /** True for the browser that shows the list. */
    isHere: boolean
  }[]
  signOut: (form: FormData) => Promise<void>
  signOutEverywhere: () => Promise<void>
}

export function DeviceList({ devices, signOut, signOutEverywhere }: DeviceListProps): ReactNode {
  return (
    <>
      <ul className={styles.list} aria-label="Devices">
        {devices.map(({ id, name, signedInAt, isHere }) => (
          <li key={id}>
            <span className={styles.name}>
              {name}
              {isHere && <small> this one</small>}
            </span>
            <span className={styles.since}>
              since{' '}
              <time dateTime={new Date(signedInAt).toISOString()}>{minuteOf(signedInAt)}</time>
            </span>
            <form action={signOut}>
              <input type="hidden" name="device" value={id} />
              <Button isSubmit isSmall>
                Sign out
              </Button>
            </form>
          </li>
        ))}
      </ul>
      <form action={signOutEverywhere} className={styles.everywhere}>
        <Button isSubmit>Sign out everywhere</Button>
      </form>
    </>
  )
}

/** The server can't know the reader's time zone, so it names its own. */
function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(11, 16)} UTC`
}
