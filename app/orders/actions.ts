'use server'
/** What the orders page can do. */
import { redirect } from 'next/navigation'
import { sse } from '@/app/sse'
import { addOrder, isItem } from './orders'

const mostOfOne = 99

/** Stores an order first, and then tells everybody who looks at orders. */
export async function placeOrder(form: FormData): Promise<void> {
  const item = form.get('item')
  const quantity = Number(form.get('quantity'))
  const isFine = Number.isInteger(quantity) && quantity >= 1 && quantity <= mostOfOne
  if (isItem(item) && isFine) await sse.publish('orders', 'order.placed', addOrder(item, quantity))
  redirect('/orders')
}
