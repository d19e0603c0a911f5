'use client'
import type { ReactNode } from 'react'
import { useTopics, type Preloaded } from 'next-sse/react'
import { OrderList } from './order-list'

export function LiveOrders({ initial }: { initial: Preloaded }): ReactNode {
  const { events } = useTopics(['orders'], { initial })
  return <OrderList orders={events} />
}
