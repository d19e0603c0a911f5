/** Prices that move while a reader looks at the orders page. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setInterval } from 'node:timers'
import { sse } from '@/app/sse'
import { items } from './items'
import { priceOf, setPrice } from './orders'

const tickMs = 2_000
/** How long prices move after a page was last asked for. */
const restMs = 10 * 60_000

/**
 * Taken while this module loads, which is before a page is rendered: a timer that a page starts counts as a part of its rendering for
 * ever, and what renders can't publish.
 */
const outsideOfRendering = AsyncLocalStorage.snapshot()
let timer: NodeJS.Timeout | undefined
let restAt = 0

export function keepPricesMoving(): void {
  restAt = Date.now() + restMs
  timer ??= outsideOfRendering(() => setInterval(() => void tick(), tickMs).unref())
}

async function tick(): Promise<void> {
  if (Date.now() > restAt) {
    clearInterval(timer)
    timer = undefined
    return
  }
  const item = items[Math.floor(Math.random() * items.length)] ?? 'coffee'
  // Between half and twice what it costs at first, in steps of five cents.
  const cents = Math.min(
    900,
    Math.max(150, priceOf(item) + 5 * (Math.floor(Math.random() * 7) - 3)),
  )
  setPrice(item, cents)
  await sse.publish(`price.${item}`, 'price', { cents })
}
