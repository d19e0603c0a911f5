/** What is written down of streams that a session grants, and of what ends their rights. */
import type { PublishedEvent } from '../record'
import type { Confirmation, Grant, Login } from './session-store'

export interface StreamRecord {
  /** What the request said of itself. */
  name: string
  topics: readonly string[]
  /** Whether its route has grants confirmed. */
  isConfirmed: boolean
  askedAt: number
  /** The page's own login, where the request had its cookie and it held; else undefined. */
  login: Login | undefined
  openedAt: number | undefined
  shown: { at: number; event: PublishedEvent | undefined; id: string }[]
  end: StreamEnd | undefined
}

export type StreamEnd =
  /** `reconnect`, with its reason. */
  | { kind: 'sent-away'; at: number; reason: string }
  /** `isStillIn`: the login that asked held when the answer came, too. */
  | { kind: 'refused'; at: number; status: number; code: string; isStillIn: boolean }
  | { kind: 'broken'; at: number }

export type Selector = { subject: string } | { sessionKey: string } | { topics: readonly string[] }

/** One call of `disconnect`. */
export interface Disconnect {
  selector: Selector
  askedAt: number
  /** `Infinity` where no answer came: it may have happened, or not. */
  resolvedAt: number
}

export interface SessionRun {
  recheckMs: number
  streams: readonly StreamRecord[]
  grants: ReadonlyMap<string, Grant>
  confirmations: readonly Confirmation[]
  disconnects: readonly Disconnect[]
}
