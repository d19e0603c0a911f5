/** The shop of the orders page: its prices and its orders, in the app's own database. */
import { change, query } from '@/app/database'
import { items, type Item } from './items'

export interface Order {
  id: number
  item: Item
  quantity: number
  /** The price of all of it, in cents. */
  cents: number
  /** Milliseconds since the Unix epoch. */
  placedAt: number
}

const firstPrices: Record<Item, number> = { coffee: 320, tea: 260, cake: 450 }

export function isItem(value: unknown): value is Item {
  return items.some((item) => item === value)
}

/** What an item costs now, in cents. */
export function priceOf(item: Item): number {
  return (
    query<{ cents: number }>('SELECT cents FROM price WHERE item = ?', item)[0]?.cents ??
    firstPrices[item]
  )
}

export function setPrice(item: Item, cents: number): void {
  change('INSERT OR REPLACE INTO price (item, cents) VALUES (?, ?)', item, cents)
}

/** Stores an order at the price of now. */
export function addOrder(item: Item, quantity: number): Order {
  const order = { item, quantity, cents: quantity * priceOf(item), placedAt: Date.now() }
  const id = change(
    'INSERT INTO shop_order (item, quantity, cents, placed_at) VALUES (?, ?, ?, ?)',
    order.item,
    order.quantity,
    order.cents,
    order.placedAt,
  )
  return { id, ...order }
}

/** The newest orders, newest first. */
export function newestOrders(limit: number): Order[] {
  return query<OrderRow>('SELECT * FROM shop_order ORDER BY id DESC LIMIT ?', limit).map(
    ({ id, item, quantity, cents, placed_at: placedAt }) => ({
      id,
      item,
      quantity,
      cents,
      placedAt,
    }),
  )
}

type OrderRow = { id: number; item: Item; quantity: number; cents: number; placed_at: number }
