'use client'
/** The items at the prices of now, and a form that orders one. It works without JavaScript, at the prices that the page came with. */
import { useId, type ReactNode } from 'react'
import type { Preloaded } from 'next-sse/react'
import { useTopics } from '@/app/hooks'
import { formatMoney } from '@/components/orders/money'
import styles from '@/components/orders/order-form.module.css'
import { Button } from '@/components/ui/button'
import fields from '@/components/ui/field.module.css'
import { items, priceTopics, type Item } from './items'

interface OrderFormProps {
  prices: Record<Item, number>
  initial: Preloaded
  action: (form: FormData) => Promise<void>
}

/** By topic, in cents. */
const noPrices: Partial<Record<string, number>> = {}

export function OrderForm({ prices, initial, action }: OrderFormProps): ReactNode {
  const id = useId()
  const { reduced: moved } = useTopics(priceTopics, {
    initial,
    share: 'tabs',
    reduce: {
      initialState: noPrices,
      reducer: (known, { topic, data }) => ({ ...known, [topic]: data.cents }),
    },
  })

  return (
    <form action={action} className={styles.form}>
      <fieldset className={styles.items} aria-label="Item">
        {items.map((item, index) => (
          <label key={item} className={styles.item}>
            <input type="radio" name="item" value={item} defaultChecked={index === 0} />
            <span className={styles.name}>{item}</span>
            <span className={styles.price}>
              {formatMoney(moved[`price.${item}`] ?? prices[item])}
            </span>
          </label>
        ))}
      </fieldset>
      <div className={styles.act}>
        <label htmlFor={id}>Quantity</label>
        <input
          id={id}
          className={fields.field}
          type="number"
          name="quantity"
          min={1}
          max={99}
          defaultValue={1}
          required
        />
        <Button isSubmit look="primary">
          Place order
        </Button>
      </div>
    </form>
  )
}
