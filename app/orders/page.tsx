/** `/orders`: the same table twice, rendered on the server and read in the browser, and a form that orders. */
import type { Metadata } from 'next'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { sse } from '@/app/sse'
import page from '@/app/page.module.css'
import { OrderTable } from '@/components/orders/order-table'
import { SiteHeader } from '@/components/ui/site-header'
import { placeOrder } from './actions'
import { items, priceTopics, type Item } from './items'
import { LiveOrders } from './live-orders'
import { OrderForm } from './order-form'
import { newestOrders, priceOf } from './orders'
import styles from './page.module.css'
import { keepPricesMoving } from './prices'
import { shownOrders } from './shown-orders'

export const metadata: Metadata = { title: 'Orders' }

export default async function OrdersPage(): Promise<ReactNode> {
  await connection()
  keepPricesMoving()
  const prices = Object.fromEntries(items.map((item) => [item, priceOf(item)])) as Record<
    Item,
    number
  >

  return (
    <>
      <SiteHeader />
      <main className={styles.wide}>
        <h1>Orders</h1>
        <p className={page.lede}>
          One table, twice. The server renders the first, and again when an order comes. The browser
          reads the second from the stream.
        </p>
        <OrderForm
          prices={prices}
          initial={await sse.preload(priceTopics, { last: priceTopics.length })}
          action={placeOrder}
        />
        <div className={styles.tables}>
          <section>
            <h2>Rendered on the server</h2>
            <p>
              <span>
                <code>sse.LiveRefresh</code> over the app’s database
              </span>
            </p>
            <sse.LiveRefresh topics={['orders']}>
              {() => <OrderTable orders={newestOrders(shownOrders)} />}
            </sse.LiveRefresh>
          </section>
          <LiveOrders initial={await sse.preload(['orders'], { last: shownOrders })} />
        </div>
      </main>
    </>
  )
}
