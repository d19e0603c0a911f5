/**
 * Reads streams for all tabs: one as a rule, and one more for a tab that is further behind than can be told, until it has caught up. A
 * tab is a place in a stream; it is told what follows when it has read the last news, so that nothing queues for a slow one.
 */
import { parseCursor, type Cursor } from '@/events/cursor'
import { createEventSourceClient, type EventSourceClient } from './event-source-client'
import {
  beatMs,
  type FromTab,
  type FromWorker,
  type Hello,
  type Item,
  type Place,
  type SharedNews,
  type SharedStreamOptions,
} from './shared-stream'
import type { StreamState } from './stream-state'

/** By types that only the tabs can parse. */
type Texts = Readonly<Record<string, StringConstructor>>

interface HostedStream {
  name: string
  /** The cursor that it was opened with. */
  from: string
  client: EventSourceClient<Texts>
  tabs: Set<Tab>
  /** The newest ones, and how many there were with those before. */
  items: readonly Item[]
  seq: number
}

interface Tab {
  port: MessagePort
  stream: HostedStream | undefined
  /** What it has once it has read the last news. */
  seq: number
  cursor: string
  /** What the last news were made of; undefined when there are others to tell. */
  told: StreamState<Texts> | undefined
  isReading: boolean
}

interface HostListeners {
  onBusy: () => void
  /** There is no tab, or none yet. */
  onIdle: () => void
}

export interface StreamHost {
  /** Serves the tab at the other end of `port`. */
  connect: (port: MessagePort) => void
}

/** A tab that was away for a moment finds what it missed. */
const leastItems = 1_000
/** So many wait for the slowest tab, be it that it does not run: beyond that it has to ask for them anew. */
const mostItems = 100_000

export function createStreamHost(
  options: SharedStreamOptions,
  { onBusy, onIdle }: HostListeners,
): StreamHost {
  const lock = crypto.randomUUID()
  const isAlive = new Promise<void>((resolve) => {
    void navigator.locks.request(lock, () => {
      resolve()
      return new Promise(() => {})
    })
  })
  const tabs = new Set<Tab>()
  /** Those that are live, oldest first. */
  const streams = new Set<HostedStream>()
  let opened = 0
  let beat: ReturnType<typeof setInterval> | undefined

  function open(from: string): HostedStream {
    const client = createEventSourceClient<Texts>({
      ...options,
      types: Object.fromEntries(options.types.map((type) => [type, String])),
      maxEvents: 1,
      initialLastEventId: from,
    })
    opened++
    const name = `${lock}/${opened}`
    const stream: HostedStream = { name, from, client, tabs: new Set(), items: [], seq: 0 }
    streams.add(stream)
    let coming: Item[] = []
    client.onEvent((event) => coming.push(event))
    client.onGap((gap) => coming.push(gap))
    client.subscribe(() => {
      keep(stream, coming)
      coming = []
      for (const tab of stream.tabs) tell(tab)
      if (client.getState().readyState === 2) streams.delete(stream)
      else gather()
    })
    client.onError((failure) => {
      for (const { port } of stream.tabs) port.postMessage({ failure } satisfies FromWorker)
    })
    client.open()
    return stream
  }

  function keep(stream: HostedStream, coming: readonly Item[]): void {
    if (coming.length === 0) return
    stream.seq += coming.length
    const unread = stream.seq - Math.min(...Array.from(stream.tabs, ({ seq }) => seq))
    const most = Math.min(mostItems, Math.max(leastItems, options.maxEvents, unread))
    stream.items = stream.items.concat(coming).slice(-most)
  }

  /** Leads `tab` to a stream that can go on where it is. */
  function enter(tab: Tab, { place, cursor }: Omit<Hello, 'lock'>): void {
    for (const stream of streams) {
      const seq = seqAt(stream, cursor, place)
      if (seq === undefined) continue
      move(tab, stream, seq)
      return
    }
    move(tab, open(cursor), 0)
  }

  function move(tab: Tab, stream: HostedStream, seq: number): void {
    leave(tab)
    Object.assign(tab, { stream, seq })
    stream.tabs.add(tab)
    tellAll(stream)
  }

  function leave(tab: Tab): void {
    const { stream } = tab
    if (!stream?.tabs.delete(tab)) return
    tellAll(stream)
    if (stream.tabs.size > 0) return
    streams.delete(stream)
    stream.client.disable()
  }

  /** A tab that has caught up goes on with the others. */
  function gather(): void {
    const [first, ...others] = streams
    if (!first) return
    for (const tab of others.flatMap((stream) => [...stream.tabs])) {
      const seq = tab.cursor === '' ? undefined : seqAt(first, tab.cursor)
      if (seq !== undefined) move(tab, first, seq)
    }
  }

  /** Tells how many they are, if nothing else. */
  function tellAll(stream: HostedStream): void {
    for (const tab of stream.tabs) {
      tab.told = undefined
      tell(tab)
    }
  }

  function tell(tab: Tab): void {
    const { port, stream } = tab
    if (!stream || tab.isReading) return
    const state = stream.client.getState()
    if (tab.told === state) return
    const unread = stream.seq - tab.seq
    if (unread > stream.items.length) {
      // What has no ids can't be asked for again.
      enter(tab, { place: undefined, cursor: tab.cursor })
      return
    }
    const news: SharedNews = {
      lock,
      stream: stream.name,
      seq: stream.seq,
      items: unread === 0 ? [] : stream.items.slice(-unread),
      tabs: stream.tabs.size,
      status: state.status,
      error: state.error,
      attempt: state.attempt,
      retryAt: state.retryAt,
      lastEventId: state.lastEventId,
      lastSeenAt: state.lastSeenAt,
      clockOffsetMs: state.clockOffsetMs,
    }
    const { seq, lastEventId: cursor } = news
    Object.assign(tab, { seq, cursor, told: state, isReading: true })
    port.postMessage(news)
  }

  async function admit(tab: Tab, hello: Hello): Promise<void> {
    await isAlive
    if (tabs.size === 0) {
      beat = setInterval(() => {
        for (const stream of streams) tellAll(stream)
      }, beatMs)
      onBusy()
    }
    tabs.add(tab)
    tab.cursor = hello.cursor
    enter(tab, hello)
    await navigator.locks.request(hello.lock, () => dismiss(tab))
  }

  function dismiss(tab: Tab): void {
    tab.port.close()
    tabs.delete(tab)
    leave(tab)
    if (tabs.size > 0) return
    clearInterval(beat)
    onIdle()
  }

  return {
    connect(port) {
      if (tabs.size === 0) onIdle()
      const tab: Tab = {
        port,
        stream: undefined,
        seq: 0,
        cursor: '',
        told: undefined,
        isReading: false,
      }
      port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => {
        if (data === 'next') {
          tab.isReading = false
          tell(tab)
          gather()
        } else if (data === 'wake') tab.stream?.client.reconnect()
        else void admit(tab, data)
      })
      port.start()
    },
  }
}

/** How many items of a stream a tab has that is at `cursor`, or at `place`; undefined when that can't be told. */
function seqAt(
  { name, from, client, items, seq }: HostedStream,
  cursor: string,
  place?: Place,
): number | undefined {
  const { lastEventId, clockOffsetMs } = client.getState()
  const before = seq - items.length
  if (place?.stream === name && place.seq >= before) return place.seq
  // It has nothing yet, and takes all there is. A stream that went on after a cursor may lack what a new one begins with.
  if (cursor === '') return from === '' ? before : undefined
  if (cursor === from && before === 0) return 0
  // Servers of ours tell the time; the ids of others need not be in any order.
  if (clockOffsetMs === undefined) return undefined
  if (cursor === lastEventId) return seq
  const [start, at, end] = [from, cursor, lastEventId].map(parseCursor)
  if (!at || end?.epoch !== at.epoch || end.offset < at.offset) return undefined
  const last = items.findLastIndex((item) => 'id' in item && isUpTo(at, item.id))
  if (last >= 0) return before + last + 1
  return before === 0 && start?.epoch === at.epoch && start.offset <= at.offset ? 0 : undefined
}

function isUpTo(end: Cursor, id: string): boolean {
  const at = parseCursor(id)
  return at?.epoch === end.epoch && at.offset <= end.offset
}
