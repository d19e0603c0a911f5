/** `/runs`: an import that goes on when its page is left, and is found again wherever the page is opened. */
import type { Metadata } from 'next'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import page from '@/app/page.module.css'
import { sse } from '@/app/sse'
import { SiteHeader } from '@/components/ui/site-header'
import { start, stop } from './actions'
import { importTopic } from './import-topic'
import { LiveImport } from './live-import'

export const metadata: Metadata = { title: 'Runs' }

export default async function RunsPage(): Promise<ReactNode> {
  await connection()

  return (
    <>
      <SiteHeader />
      <main>
        <h1>Long work</h1>
        <p className={page.lede}>
          The server writes 2,000 products into its database, one after another. Leave this page,
          and come back: the import goes on. Open it elsewhere, and stop it there.
        </p>
        <LiveImport
          initial={await sse.preload([importTopic], { run: 'latest' })}
          start={start}
          stop={stop}
        />
      </main>
    </>
  )
}
