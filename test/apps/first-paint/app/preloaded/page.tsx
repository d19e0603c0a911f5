/** For bench/first-paint.ts: the newest hundred orders, live. Beside it is ../written, with the same orders as an array. */
import { Suspense, type ReactNode } from 'react'
import { sse } from '../../sse'
import { LiveOrders } from './live-orders'

export default function Page(): ReactNode {
  return (
    <Suspense fallback={<p>The orders are read.</p>}>
      <Preloaded />
    </Suspense>
  )
}

async function Preloaded(): Promise<ReactNode> {
  return <LiveOrders initial={await sse.preload('orders', { last: 100 })} />
}
