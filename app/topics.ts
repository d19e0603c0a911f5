/** The topics of this app, and what their events look like. Topics that are not named here are open to any event. */
import { defineTopics, text } from 'next-sse/topics'
import { z } from 'zod'
import { items } from './orders/items'

const id = z.number().int().positive()
const cents = z.number().int().nonnegative()

export const topics = defineTopics({
  orders: {
    'order.placed': z.object({
      id,
      item: z.enum(items),
      quantity: id,
      cents,
      placedAt: z.number(),
    }),
  },
  /** How many rows are written, and the name in the newest one. */
  import: { progress: z.object({ done: id, newest: z.string() }) },
  'price.*': { price: z.object({ cents }) },
  'account.*': {
    note: z.object({ from: z.enum(['ana', 'bob']), text: z.string() }),
    devices: z.object({ count: z.number() }),
  },
  '*': { '*': text() },
})
