'use server'
/** What the account page can do. Each action checks the session itself: anyone can call an action, from any page or none. */
import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { sse } from '@/app/sse'
import { accountOf, hasDemoAccounts, privateTopic, type Account } from './accounts'
import {
  addDevice,
  currentDevice,
  devicesOf,
  forgetDevice,
  removeDevice,
  removeDevicesOf,
  type Device,
} from './devices'

const page = '/account'
const maxNote = 500

export async function signIn(form: FormData): Promise<void> {
  const account = accountOf(form.get('account'))
  if (hasDemoAccounts() && account) {
    const before = await currentDevice()
    await addDevice(account, (await headers()).get('user-agent') ?? '')
    if (before) await sse.disconnect({ subject: before.account.id })
    await tellDevices(account)
  }
  redirect(page)
}

/** Signs out one device of this account. */
export async function signOut(form: FormData): Promise<void> {
  const here = await signedIn()
  const id = form.get('device')
  const device = devicesOf(here.account).find((one) => one.id === id)
  if (device) {
    removeDevice(device.id)
    await endStreams(here.account)
  }
  if (id === here.id) await forgetDevice()
  redirect(page)
}

export async function signOutEverywhere(): Promise<void> {
  const here = await signedIn()
  removeDevicesOf(here.account)
  await forgetDevice()
  await endStreams(here.account)
  redirect(page)
}

/** Sends a note to an account's private topic: writing to another account is allowed, reading is not. */
export async function sendNote(form: FormData): Promise<void> {
  const { account } = await signedIn()
  const to = accountOf(form.get('to'))
  const text = form.get('text')
  if (to && typeof text === 'string' && text.trim() !== '') {
    const note = { from: account.id, text: text.trim().slice(0, maxNote) }
    await sse.publish(privateTopic(to), 'note', note)
  }
  redirect(page)
}

/** @throws Next's redirect, when nobody is signed in */
async function signedIn(): Promise<Device> {
  return (await currentDevice()) ?? redirect(page)
}

/** Ends the account's open streams everywhere. Devices that are still signed in come back at once. */
async function endStreams(account: Account): Promise<void> {
  await sse.disconnect({ subject: account.id })
  await tellDevices(account)
}

async function tellDevices(account: Account): Promise<void> {
  const count = devicesOf(account).length
  await sse.publish(privateTopic(account), 'devices', { count })
}
