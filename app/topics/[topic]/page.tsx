/** `/topics/{topic}`: a live topic, a form that publishes to it, and how to do both from a terminal. */
import type { Metadata } from 'next'
import { headers } from 'next/headers'
import { notFound } from 'next/navigation'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { isTopic } from 'next-sse/client'
import { siteAddress } from '@/app/site-address'
import { PublishForm } from '@/components/publish/publish-form'
import { LiveTopic } from '@/components/topic/live-topic'
import { CommandLine } from '@/components/ui/command-line'
import { NeedsScript } from '@/components/ui/needs-script'
import { SideFold } from '@/components/ui/side-fold'
import styles from './page.module.css'

interface TopicPageProps {
  params: Promise<{ topic: string }>
}

export async function generateMetadata({ params }: TopicPageProps): Promise<Metadata> {
  const { topic } = await params
  return isTopic(topic) ? { title: topic } : {}
}

export default async function TopicPage({ params }: TopicPageProps): Promise<ReactNode> {
  await connection()
  const { topic } = await params
  if (!isTopic(topic)) notFound()
  const stream = `${siteAddress(await headers())}/events/${topic}`
  const watch = `curl -N ${stream}`

  return (
    <div className={styles.page}>
      <LiveTopic topic={topic}>
        <NeedsScript command={watch} />
      </LiveTopic>
      <aside className={styles.side}>
        <SideFold title="Publish an event">
          <section className={styles.publish}>
            <h2>Publish</h2>
            <PublishForm topic={topic} />
          </section>
          <section className={styles.terminal}>
            <h2>From a terminal</h2>
            <CommandLine caption="Watch" command={watch} />
            <CommandLine caption="Publish text" command={`curl -d 'hello' ${stream}`} />
            <CommandLine
              caption="Publish JSON"
              command={`curl --json '{"amount":4200}' ${stream}`}
            />
            <p>Add ?type=order.paid to name the type.</p>
          </section>
        </SideFold>
      </aside>
    </div>
  )
}
