/** What an unknown address shows, in place of Next's own page, whose inline styles no strict content policy lets through. */
import type { Metadata } from 'next'
import Link from 'next/link'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { SiteHeader } from '@/components/ui/site-header'

export const metadata: Metadata = { title: 'No such page' }

export default async function NotFound(): Promise<ReactNode> {
  await connection()

  return (
    <>
      <SiteHeader />
      <main>
        <h1>No such page</h1>
        <p>
          Nothing is at this address. <Link href="/">See the greetings</Link>
        </p>
      </main>
    </>
  )
}
