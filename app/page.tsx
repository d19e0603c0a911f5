/** `/`: the greeting stream as it happens, and how to read it without a browser. */
import type { Metadata } from 'next'
import { headers } from 'next/headers'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { CommandLine } from '@/components/command-line'
import { GreetingStream } from '@/components/greeting-stream'
import styles from './page.module.css'

// The layout's template is for the pages below this one.
export const metadata: Metadata = { title: 'Greetings · next-sse' }

export default async function HomePage(): Promise<ReactNode> {
  await connection()
  const command = `curl -N ${addressIn(await headers())}/events`

  return (
    <main>
      <h1>Events from the server</h1>
      <p className={styles.lede}>
        Three greetings, two seconds apart, over one response that stays open. After the third, the
        server ends it.
      </p>
      <noscript>
        <p className={styles.noscript}>
          This page needs JavaScript to open the stream. In a terminal: <code>{command}</code>
        </p>
      </noscript>
      <GreetingStream />
      <div className={styles.next}>
        <section>
          <h2>Without a browser</h2>
          <p>The same stream in a terminal. In DevTools: Network, events, EventStream.</p>
          <CommandLine command={command} />
        </section>
      </div>
    </main>
  )
}

/** This site's address, as curl takes it: `http://` is what curl assumes anyway. */
function addressIn(requestHeaders: Headers): string {
  const host = requestHeaders.get('host') ?? 'localhost:3000'
  const scheme = requestHeaders.get('x-forwarded-proto')?.split(',')[0]?.trim()
  return scheme === 'https' ? `https://${host}` : host
}
