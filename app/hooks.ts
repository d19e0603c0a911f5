'use client'
/** The hooks of this app's pages. They know the types of its topics, and load none of its schemas. */
import { createHooks } from 'next-sse/react'
import type { topics } from './topics'

export const { useTopics, useRun } = createHooks<typeof topics>()
