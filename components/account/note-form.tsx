/** A note to one of the accounts. A plain form, so it works without JavaScript. */
import { useId, type ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import fields from '@/components/ui/field.module.css'
import styles from './note-form.module.css'

interface NoteFormProps {
  accounts: readonly { id: string; name: string }[]
  action: (form: FormData) => Promise<void>
}

export function NoteForm({ accounts, action }: NoteFormProps): ReactNode {
  const id = useId()
  return (
    <form action={action} className={styles.form}>
      <label className={fields.label} htmlFor={`${id}to`}>
        To
      </label>
      <select className={fields.field} id={`${id}to`} name="to">
        {accounts.map(({ id: value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <label className={fields.label} htmlFor={`${id}text`}>
        Note
      </label>
      <div className={styles.line}>
        <input
          className={fields.field}
          id={`${id}text`}
          name="text"
          maxLength={500}
          autoComplete="off"
          required
        />
        <Button isSubmit>Send</Button>
      </div>
    </form>
  )
}
