/** A table of orders, newest first. It looks the same rendered on the server and in the browser. */
import type { ReactNode } from 'react'
import styles from './order-table.module.css'
import { formatMoney } from './money'

export interface OrderRow {
  id: number
  item: string
  quantity: number
  cents: number
}

export function OrderTable({ orders }: { orders: readonly OrderRow[] }): ReactNode {
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">Order</th>
          <th scope="col">Item</th>
          <th scope="col" className={styles.number}>
            Qty
          </th>
          <th scope="col" className={styles.number}>
            Total
          </th>
        </tr>
      </thead>
      <tbody>
        {orders.map(({ id, item, quantity, cents }) => (
          <tr key={id}>
            <td>{id}</td>
            <td className={styles.item}>{item}</td>
            <td className={styles.number}>{quantity}</td>
            <td className={styles.number}>{formatMoney(cents)}</td>
          </tr>
        ))}
        {orders.length === 0 && (
          <tr>
            <td colSpan={4} className={styles.none}>
              No orders yet
            </td>
          </tr>
        )}
      </tbody>
    </table>
  )
}
