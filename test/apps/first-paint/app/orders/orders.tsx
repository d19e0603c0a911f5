'use client'
import { useRouter } from 'next/navigation'
import { useTransition, type ReactNode } from 'react'
import { useTopics, type Preloaded, type Reduce, type TopicEvent } from 'next-sse/react'

const count: Reduce<TopicEvent, number> = { initialState: 0, reducer: (sum) => sum + 1 }

interface OrdersProps {
  topics: readonly string[]
  initial: Preloaded
  share: 'tabs' | undefined
}

export function Orders({ topics, initial, share }: OrdersProps): ReactNode {
  const router = useRouter()
  const [isRefreshing, start] = useTransition()
  const stream = useTopics(topics, { initial, share, reduce: count })
  const { status, error, events, gaps, reduced, tabs } = stream

  return (
    <main>
      <button onClick={() => start(() => router.refresh())}>Refresh</button>
      <button onClick={() => stream.open()}>Open</button>
      {isRefreshing && <p>Refreshing</p>}
      <output>
        {status} {error?.code ?? error?.kind}
      </output>
      <p>
        {reduced} orders, {gaps.length} gaps, {tabs ?? 0} tabs
      </p>
      <ol>
        {events.map(({ seq, topic, data }) => (
          <li key={seq}>{`${topic} ${data.slice(0, 20)}`}</li>
        ))}
      </ol>
    </main>
  )
}
