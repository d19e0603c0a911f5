/** Runs in a page: a client, and a record of everything it reports. */
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from '@/client/event-source-client'
import type { Gap } from '@/protocol/gap'
import type { StreamError } from '@/client/stream-error'
import type { ReceivedEvent, Status } from '@/client/stream-state'
import { joinSharedStream } from '@/client/tabs/join-shared-stream'

export interface PageClientOptions extends Omit<
  EventSourceClientOptions<never>,
  'url' | 'types' | 'transport' | 'headers' | 'reduce' | 'join'
> {
  url: string
  /** Event types besides `message`; their data is taken as text. */
  types?: string[]
  /** Reads through the worker that reads for all tabs. Default false. */
  isShared?: boolean
  /** A fixed value for `Math.random` in the page: 0 makes every wait the shortest. Default: random. */
  random?: number
}

export interface Recorded {
  /** A step for every change of `status` or `retryAt`. */
  steps: { status: Status; attempt: number; error?: string; waitMs?: number }[]
  events: { type: string; data: unknown; id: string }[]
  gaps: Gap[]
  errors: StreamError[]
}

declare global {
  interface Window {
    startClient: (options: PageClientOptions) => void
    /** The transport of every client in the page. Default: an EventSource. */
    transport?: 'fetch'
    client: EventSourceClient<Record<string, StringConstructor>>
    recorded: Recorded
  }
}

window.startClient = ({ types = [], isShared = false, random, ...options }) => {
  if (random !== undefined) Math.random = () => random
  const client = createEventSourceClient({
    ...options,
    join: isShared ? joinSharedStream : undefined,
    transport: window.transport,
    types: Object.fromEntries(['message', ...types].map((type) => [type, String])),
  })
  const recorded: Recorded = { steps: [], events: [], gaps: [], errors: [] }
  let last = client.getState()
  client.subscribe(() => {
    const state = client.getState()
    const isStep = state.status !== last.status || state.retryAt !== last.retryAt
    last = state
    if (!isStep) return
    recorded.steps.push({
      status: state.status,
      attempt: state.attempt,
      ...(state.error && { error: state.error.kind }),
      ...(state.retryAt !== undefined && { waitMs: state.retryAt - Date.now() }),
    })
  })
  client.onEvent(({ type, data, id }: ReceivedEvent<Record<string, StringConstructor>>) => {
    recorded.events.push({ type, data, id })
  })
  client.onGap((gap) => recorded.gaps.push(gap))
  client.onError(({ kind, message, status, code }) => {
    // Without its cause, which may not be serializable.
    recorded.errors.push({ kind, message, status, code })
  })
  window.client = client
  window.recorded = recorded
  client.open()
}
