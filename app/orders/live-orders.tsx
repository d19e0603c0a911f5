'use client'
/** The orders as the browser reads them: the events that the page came with, and each new one. */
import type { ReactNode } from 'react'
import type { Preloaded } from 'next-sse/react'
import { useTopics } from '@/app/hooks'
import { OrderTable } from '@/components/orders/order-table'
import { StatusPill } from '@/components/stream/status-pill'
import { streamWords } from '@/components/stream/stream-words'
import { shownOrders } from './shown-orders'

export function LiveOrders({ initial }: { initial: Preloaded }): ReactNode {
  const stream = useTopics(['orders'], { initial, maxEvents: shownOrders, share: 'tabs' })
  const orders = stream.events.map(({ data }) => data).toReversed()

  return (
    <section>
      <h2>Read in the browser</h2>
      <p>
        <span>
          <code>useTopics</code>, begun by the server
        </span>
        <StatusPill stream={stream} words={streamWords(stream, 'topic')} />
      </p>
      <OrderTable orders={orders} />
    </section>
  )
}
