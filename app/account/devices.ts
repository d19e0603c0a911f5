/**
 * Who is signed in where. A cookie names a device, and the app's database knows whose it is: so a sign-out counts at once, whatever
 * cookies are still around.
 */
import { randomUUID } from 'node:crypto'
import { getIronSession, type IronSession, type SessionOptions } from 'iron-session'
import { cookies, headers } from 'next/headers'
import { change, query } from '@/app/database'
import { accountOf, type Account } from './accounts'

export interface Device {
  id: string
  account: Account
  /** The browser's `User-Agent`. */
  agent: string
  /** Milliseconds since the Unix epoch. */
  signedInAt: number
}

interface Login {
  deviceId?: string
}

function sessionOptions({ isSecure = true } = {}): SessionOptions {
  return {
    cookieName: 'account',
    password: password(),
    ttl: 7 * 24 * 60 * 60,
    cookieOptions: { secure: isSecure, sameSite: 'lax', httpOnly: true },
  }
}

/** @throws {Error} production without a secret */
function password(): string {
  const secret = process.env['SESSION_SECRET']
  if (secret !== undefined && secret.length >= 32) return secret
  if (process.env.NODE_ENV === 'development') return 'only-for-development-on-one-machine'
  throw new Error('DEMO_ACCOUNTS=on needs SESSION_SECRET, of at least 32 characters.')
}

/** The device that sent the request; undefined when nobody is signed in there. Sets no cookie. */
export async function deviceOf(request: Request): Promise<Device | undefined> {
  return find(await getIronSession<Login>(request, new Response(), sessionOptions()))
}

/** The device that asks for a page, or calls an action. */
export async function currentDevice(): Promise<Device | undefined> {
  return find(await currentSession())
}

export function devicesOf({ id }: Account): Device[] {
  return query<DeviceRow>(
    'SELECT * FROM device WHERE account = ? ORDER BY signed_in DESC, id',
    id,
  ).flatMap(toDevice)
}

/** Signs this browser in. A device that was signed in before is signed out. */
export async function addDevice(account: Account, agent: string): Promise<void> {
  const session = await currentSession()
  removeDevice(session.deviceId ?? '')
  session.deviceId = randomUUID()
  change(
    'INSERT INTO device (id, account, agent, signed_in) VALUES (?, ?, ?, ?)',
    session.deviceId,
    account.id,
    agent.slice(0, 500),
    Date.now(),
  )
  await session.save()
}

/** Takes the login from this browser's cookie. */
export async function forgetDevice(): Promise<void> {
  const session = await currentSession()
  session.destroy()
}

export function removeDevice(id: string): void {
  change('DELETE FROM device WHERE id = ?', id)
}

export function removeDevicesOf({ id }: Account): void {
  change('DELETE FROM device WHERE account = ?', id)
}

async function currentSession(): Promise<IronSession<Login>> {
  // The demo runs without TLS, too.
  const isSecure = (await headers()).get('x-forwarded-proto')?.startsWith('https') === true
  // Its type for Next's cookies is written without `exactOptionalPropertyTypes`.
  const jar = (await cookies()) as never
  return await getIronSession<Login>(jar, sessionOptions({ isSecure }))
}

function find({ deviceId }: Login): Device | undefined {
  if (deviceId === undefined) return undefined
  return query<DeviceRow>('SELECT * FROM device WHERE id = ?', deviceId).flatMap(toDevice)[0]
}

type DeviceRow = { id: string; account: string; agent: string; signed_in: number }

function toDevice({ id, account: accountId, agent, signed_in: signedInAt }: DeviceRow): Device[] {
  const account = accountOf(accountId)
  return account ? [{ id, account, agent, signedInAt }] : []
}
