/** The page for unknown addresses. Next's own has inline styles, which a strict content policy blocks. */
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
          There is nothing at this address. <Link href="/">See the greetings</Link>
        </p>
      </main>
    </>
  )
}
