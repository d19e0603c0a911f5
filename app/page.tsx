/** `/`: the greeting stream, live; how to read it in a terminal; a link to topics, and links to the other pages. */
import type { Metadata } from 'next'
import { headers } from 'next/headers'
import Link from 'next/link'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { GreetingStream } from '@/components/tape/greeting-stream'
import { OpenTopic } from '@/components/topic/open-topic'
import { CommandLine } from '@/components/ui/command-line'
import { NeedsScript } from '@/components/ui/needs-script'
import { SiteHeader } from '@/components/ui/site-header'
import styles from './page.module.css'
import { siteAddress } from './site-address'

// The layout's title template does not apply to the page beside it.
export const metadata: Metadata = { title: 'Greetings · next-sse' }

const pages = [
  {
    href: '/orders',
    name: 'Orders',
    about: 'A table that the server renders, and renders again when an order comes.',
  },
  {
    href: '/chat',
    name: 'Chat',
    about: 'An answer that survives a reload, shows in every tab, and stops.',
  },
  {
    href: '/runs',
    name: 'Runs',
    about: 'Long work that one can watch, leave, find again and stop.',
  },
  {
    href: '/account',
    name: 'Account',
    about: 'A topic that only the account can read which is signed in.',
  },
] as const

export default async function HomePage(): Promise<ReactNode> {
  await connection()
  const command = `curl -N ${siteAddress(await headers())}/events`

  return (
    <>
      <SiteHeader />
      <main>
        <h1>Events from the server</h1>
        <p className={styles.lede}>
          Three greetings, two seconds apart, over one response that stays open. After the third,
          the server ends it.
        </p>
        <NeedsScript command={command} />
        <GreetingStream />
        <div className={styles.next}>
          <section>
            <h2>Without a browser</h2>
            <p>The same stream in a terminal. In DevTools: Network, events, EventStream.</p>
            <CommandLine command={command} />
          </section>
          <section>
            <h2>With your own events</h2>
            <p>Open any topic. Publish to it from its page, or with one curl.</p>
            <OpenTopic />
          </section>
        </div>
        <section className={styles.more}>
          <h2>More to try</h2>
          <ul>
            {pages.map(({ href, name, about }) => (
              <li key={href}>
                <Link href={href}>{name}</Link>
                <p>{about}</p>
              </li>
            ))}
          </ul>
        </section>
      </main>
    </>
  )
}
