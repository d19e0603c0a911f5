/** A route that checks what is published by a schema of ten fields, for bench/schemas.ts. */
import { createSse } from 'next-sse'
import { defineTopics } from 'next-sse/topics'
import { z } from 'zod'

const order = z.object({
  id: z.uuid(),
  customer: z.string().min(1),
  email: z.email(),
  amount: z.number().positive(),
  currency: z.enum(['EUR', 'USD', 'GBP']),
  paid: z.boolean(),
  at: z.iso.datetime(),
  note: z.string().max(500).optional(),
  tags: z.array(z.string()),
  lines: z.array(z.object({ sku: z.string(), count: z.int().positive(), price: z.number() })),
})

const topics = defineTopics({ bench: { message: order } })

export const { GET, HEAD, POST, OPTIONS } = createSse({ topics, path: '/checked' }).topicRoute
