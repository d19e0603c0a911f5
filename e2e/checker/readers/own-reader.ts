/** Reads with the client of this project, in Node: what it needs of a browser is put in place once. */
import { setMaxListeners } from 'node:events'
import { EventSource } from 'eventsource'
import { createEventSourceClient } from '@/client/event-source-client'
import type { Ledger } from '../ledger'
import type { Random } from '../random'
import { createPace, pacedFetch } from './pace'
import {
  createRecorder,
  noteType,
  pathOf,
  type Reader,
  type ReaderCounts,
  type ReaderSetting,
} from './recorder'

/** What the EventSource of a reader must know of it, by the reader's name, which the URL carries. */
const ownSources = new Map<string, { fetch: typeof fetch; onConnected: (id: string) => void }>()
const nameInUrl = 'checker'

export function startOwnReader(
  setting: ReaderSetting,
  ledger: Ledger,
  counts: ReaderCounts,
  random: Random,
  onRefused: (message: string) => void,
): Reader {
  actAsBrowser()
  const { name, origin, token } = setting
  const { record, take } = createRecorder(setting, ledger, counts)
  const pace = createPace(setting.manner, random)
  const url = new URL(pathOf(setting, random.between(1, 400)), origin)
  url.searchParams.set(nameInUrl, name)
  // The way that a browser's EventSource has to send one to another origin.
  if (token !== undefined) url.searchParams.set('access_token', token)
  ownSources.set(name, {
    fetch: pacedFetch(pace),
    onConnected: (id) => take('connected', id, '{}'),
  })

  const client = createEventSourceClient({ url: url.href, types: { [noteType]: String } })
  client.onEvent(({ type, id, data }) => take(type, id, data))
  client.onGap((gap) => take('resync', '', JSON.stringify(gap)))
  client.subscribe(() => {
    const { status, error } = client.getState()
    if (status === 'failed') onRefused(`${name} failed: ${error?.message}`)
  })
  client.open()

  return {
    record,
    calmDown() {
      pace.calmDown()
      // It may wait long after many attempts.
      client.reconnect()
    },
    stop() {
      client.close()
      ownSources.delete(name)
    },
  }
}

let isBrowser = false

function actAsBrowser(): void {
  if (isBrowser) return
  isBrowser = true
  const page = new EventTarget()
  // Every reader listens.
  setMaxListeners(0, page)
  const inPlace = {
    navigator: { onLine: true },
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
    EventSource: ObservedEventSource,
  }
  for (const [name, value] of Object.entries(inPlace)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
}

/** Reads at its reader's pace, and tells it of each `connected`, which the client keeps to itself. */
class ObservedEventSource extends EventSource {
  constructor(url: string) {
    const own = ownSources.get(new URL(url).searchParams.get(nameInUrl) ?? '')
    super(url, { ...(own && { fetch: own.fetch }) })
    this.addEventListener('connected', ({ lastEventId }) => own?.onConnected(lastEventId))
  }
}
