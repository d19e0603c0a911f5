/** A button for each account. A plain form, so it works without JavaScript. */
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import styles from './sign-in.module.css'

interface SignInProps {
  /** Empty: nobody can sign in here. */
  accounts: readonly { id: string; name: string }[]
  action: (form: FormData) => Promise<void>
}

export function SignIn({ accounts, action }: SignInProps): ReactNode {
  if (accounts.length === 0) {
    return (
      <p className={styles.panel}>
        The demo accounts are off: they have no password. To try them here, start the server with{' '}
        <code>DEMO_ACCOUNTS=on</code> and a <code>SESSION_SECRET</code>.
      </p>
    )
  }
  return (
    <div className={styles.panel}>
      <p>Two demo accounts, without a password. Try one in each of two browsers.</p>
      <div className={styles.choices}>
        {accounts.map(({ id, name }) => (
          <form key={id} action={action}>
            <input type="hidden" name="account" value={id} />
            <Button isSubmit>Sign in as {name}</Button>
          </form>
        ))}
      </div>
    </div>
  )
}
