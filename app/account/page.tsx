/** `/account`: a private topic for each of two demo accounts, and the devices that are signed in. */
import type { Metadata } from 'next'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { DeviceList } from '@/components/account/device-list'
import { NoteForm } from '@/components/account/note-form'
import { PrivateTopic } from '@/components/account/private-topic'
import { SignIn } from '@/components/account/sign-in'
import { SiteHeader } from '@/components/ui/site-header'
import page from '@/app/page.module.css'
import { accounts, hasDemoAccounts, privateTopic } from './accounts'
import { sendNote, signIn, signOut, signOutEverywhere } from './actions'
import { browserName } from './browser-name'
import { currentDevice, devicesOf, type Device } from './devices'

export const metadata: Metadata = { title: 'Account' }

export default async function AccountPage(): Promise<ReactNode> {
  await connection()
  const here = hasDemoAccounts() ? await currentDevice() : undefined

  return (
    <>
      <SiteHeader />
      <main>
        <h1>{here ? `Signed in as ${here.account.name}` : 'A topic of your own'}</h1>
        <p className={page.lede}>
          {here
            ? 'Only this account can read its topic. The server asks the session each time a stream is opened, and a sign-out ends the streams that are open.'
            : 'Each account has a topic that nobody else can read. The server asks the session each time a stream is opened.'}
        </p>
        {here ? <Account here={here} /> : <SignIn accounts={openAccounts()} action={signIn} />}
      </main>
    </>
  )
}

function openAccounts(): typeof accounts {
  return hasDemoAccounts() ? accounts : []
}

function Account({ here }: { here: Device }): ReactNode {
  const { account } = here
  const devices = devicesOf(account).map(({ id, agent, signedInAt }) => ({
    id,
    name: browserName(agent),
    signedInAt,
    isHere: id === here.id,
  }))
  return (
    <>
      <PrivateTopic key={account.id} topic={privateTopic(account)} />
      <div className={page.next}>
        <section>
          <h2>Send a note</h2>
          <p>Anyone signed in can write to both topics.</p>
          <NoteForm accounts={accounts} action={sendNote} />
        </section>
        <section>
          <h2>Devices</h2>
          <p>Signing out ends the open streams of a device at once.</p>
          <DeviceList devices={devices} signOut={signOut} signOutEverywhere={signOutEverywhere} />
        </section>
      </div>
    </>
  )
}
