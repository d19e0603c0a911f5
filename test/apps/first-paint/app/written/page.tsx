/** For bench/first-paint.ts: the page that ../preloaded is compared with. It has the orders, and no stream. */
import { Suspense, type ReactNode } from 'react'
import { sse } from '../../sse'
import { OrderList } from '../preloaded/order-list'

export default function Page(): ReactNode {
  return (
    <Suspense fallback={<p>The orders are read.</p>}>
      <Written />
    </Suspense>
  )
}

async function Written(): Promise<ReactNode> {
  const { events } = await sse.history('orders', { last: 100 })
  return <OrderList orders={events} />
}
