/** A page with the events of topics. The query says which, how many, and whether tabs share the stream. */
import Link from 'next/link'
import { Suspense, type ReactNode } from 'react'
import { waitAt } from '../../gates'
import { sse } from '../../sse'
import { Orders } from './orders'

interface PageProps {
  searchParams: Promise<{ topics?: string; last?: string; share?: 'tabs' }>
}

export default function Page(props: PageProps): ReactNode {
  return (
    <>
      <nav>
        <Link href="/other">Another page</Link>
        <Link href="/orders?topics=orders,stock&share=tabs">With stock</Link>
      </nav>
      <Suspense fallback={<p>The orders are read.</p>}>
        <Preloaded {...props} />
      </Suspense>
    </>
  )
}

async function Preloaded({ searchParams }: PageProps): Promise<ReactNode> {
  const { topics: names = 'orders', last = '100', share } = await searchParams
  const topics = names.split(',')
  const initial = await sse.preload(topics, { last: Number(last) })
  await waitAt('read')
  return <Orders topics={topics} initial={initial} share={share} />
}
