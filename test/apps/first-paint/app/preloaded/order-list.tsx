'use client'
import { useEffect, type ReactNode } from 'react'

interface OrderListProps {
  orders: readonly { id: string; data: string; time: number }[]
}

/** Marks the time at which it was hydrated. */
export function OrderList({ orders }: OrderListProps): ReactNode {
  useEffect(() => {
    if (performance.getEntriesByName('hydrated').length === 0) performance.mark('hydrated')
  }, [])

  return (
    <ol>
      {orders.map(({ id, data, time }) => (
        <li key={id}>
          <time>{new Date(time).toISOString()}</time> {data}
        </li>
      ))}
    </ol>
  )
}
