/**
 * Reads streams for all tabs: one as a rule, and one more for a tab that is further behind than can be told, until it has caught up. A
 * tab is a place in a stream; it is told what follows when it has read the last news, so that nothing queues for a slow one. What was
 * granted to one reader no other gets: a tab that comes to a stream is told nothing of it before the server has said who it is now.
 */
import { askReader } from './ask-reader'
import { createEventSourceClient, type EventSourceClient } from '@/client/event-source-client'
import { placeIn } from './place-in-stream'
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
import { readerChanged } from '@/client/stream-error'
import type { StreamState } from '@/client/stream-state'

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
  /** The server has said who reads it. */
  isKnown: boolean
  /** The browser has another reader now. */
  isOver: boolean
}

interface Tab {
  port: MessagePort
  stream: HostedStream | undefined
  /** What it has once it has read the last news. */
  seq: number
  cursor: string
  /** Who its page reads as, if that knows. */
  reader: string | undefined
  /** Its stream is its own reader's, as the server says. */
  isAdmitted: boolean
  /** What the server said, since the tab came, about who it is. */
  answer: { reader: string | undefined } | undefined
  asking: AbortController | undefined
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

  function open({ cursor: from, reader }: Pick<Tab, 'cursor' | 'reader'>): HostedStream {
    const client = createEventSourceClient<Texts>({
      ...options,
      types: Object.fromEntries(options.types.map((type) => [type, String])),
      maxEvents: 1,
      initialLastEventId: from,
      initialReader: reader,
    })
    opened++
    const name = `${lock}/${opened}`
    const stream: HostedStream = {
      name,
      from,
      client,
      tabs: new Set(),
      items: [],
      seq: 0,
      isKnown: false,
      isOver: false,
    }
    streams.add(stream)
    let coming: Item[] = []
    client.onEvent((event) => coming.push(event))
    client.onGap((gap) => coming.push(gap))
    client.subscribe(() => {
      keep(stream, coming)
      coming = []
      if (client.getState().error?.kind === 'reader') end(stream)
      learnReader(stream)
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

  /** Of two streams of different readers, the one that was asked for first is of the past. */
  function learnReader(stream: HostedStream): void {
    const { status, reader } = stream.client.getState()
    if (stream.isKnown || status !== 'open' || reader === undefined) return
    stream.isKnown = true
    const newest = Array.from(streams).findLast(({ isKnown }) => isKnown)
    endAllBut((newest && readerOf(newest)) ?? reader)
  }

  /** The browser's reader is `reader` now. */
  function endAllBut(reader: string): void {
    for (const stream of streams) {
      if (stream.isKnown && readerOf(stream) !== reader) end(stream)
    }
  }

  /** Its tabs hear of it, and what they do then is theirs. */
  function end(stream: HostedStream): void {
    if (stream.isOver) return
    stream.isOver = true
    streams.delete(stream)
    stream.client.disable()
  }

  /** Leads `tab` to a stream that can go on where it is. */
  function enter(tab: Tab, place?: Place): void {
    for (const stream of streams) {
      const seq = seqAt(stream, tab.cursor, place)
      if (seq === undefined) continue
      move(tab, stream, seq)
      return
    }
    enterAlone(tab)
  }

  /** What is asked for a tab alone may be told to it, whichever reader that is. */
  function enterAlone(tab: Tab): void {
    move(tab, open(tab), 0, true)
  }

  function move(tab: Tab, stream: HostedStream, seq: number, isItsOwn = false): void {
    const last = tab.isAdmitted ? tab.stream : undefined
    const isAdmitted = isItsOwn || (last?.isKnown === true && isOfOneReader(last, stream))
    leave(tab)
    Object.assign(tab, { stream, seq, isAdmitted })
    stream.tabs.add(tab)
    tellAll(stream)
  }

  /** Lets `tab` have what its stream brings, once the server has said that they have the same reader. */
  function admit(tab: Tab, stream: HostedStream): void {
    const { status, reader, clockOffsetMs } = stream.client.getState()
    if (status !== 'open') return
    if (reader === undefined) {
      // A server that tells readers apart does so first of all.
      tab.isAdmitted = stream.seq > 0 || clockOffsetMs !== undefined
    } else if (tab.answer) {
      const { reader: said } = tab.answer
      if (said !== undefined) endAllBut(said)
      if (stream.isOver) return
      if (said === reader && said === (tab.reader ?? said)) tab.isAdmitted = true
      else enterAlone(tab)
    } else if (!tab.asking) void ask(tab)
  }

  async function ask(tab: Tab): Promise<void> {
    const asking = new AbortController()
    tab.asking = asking
    const reader = await askReader(options, asking)
    if (tab.asking !== asking) return
    tab.asking = undefined
    tab.answer = { reader }
    tab.told = undefined
    tell(tab)
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
    for (const stream of others) {
      // Moved before the server has said whose it is, it would have to ask.
      if (!isOfOneReader(stream, first)) continue
      for (const tab of stream.tabs) {
        const seq = tab.cursor === '' ? undefined : seqAt(first, tab.cursor)
        if (seq !== undefined) move(tab, first, seq)
      }
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
    if (tab.stream && !tab.isAdmitted) admit(tab, tab.stream)
    const { port, stream, isAdmitted } = tab
    if (!stream || tab.isReading) return
    const state = stream.client.getState()
    if (tab.told === state) return
    const unread = stream.seq - tab.seq
    // What has no ids can't be asked for again.
    if (unread > stream.items.length || (stream.isOver && !isAdmitted)) {
      enter(tab)
      return
    }
    const news = newsOf(stream, tab)
    const { seq, lastEventId: cursor } = news
    Object.assign(tab, { seq, cursor, told: state, isReading: true })
    port.postMessage(news)
  }

  function newsOf(stream: HostedStream, tab: Tab): SharedNews {
    const { status, error, attempt, retryAt, lastSeenAt, clockOffsetMs, lastEventId, reader } =
      stream.client.getState()
    const where = { lock, stream: stream.name, tabs: stream.tabs.size }
    const how = { status, error, attempt, retryAt, lastSeenAt, clockOffsetMs }
    if (tab.isAdmitted && !stream.isOver) {
      const { items, seq } = stream
      const unread = items.slice(items.length - (seq - tab.seq))
      return { ...where, ...how, seq, items: unread, lastEventId, reader }
    }
    const nothing = { seq: tab.seq, items: [], lastEventId: tab.cursor, reader: undefined }
    if (stream.isOver)
      return { ...where, ...how, ...nothing, status: 'failed', error: readerChanged }
    const isAsked = status === 'open' && reader !== undefined
    return { ...where, ...how, ...nothing, status: isAsked ? 'connecting' : status }
  }

  async function receive(tab: Tab, hello: Hello): Promise<void> {
    await isAlive
    if (tabs.size === 0) {
      beat = setInterval(() => {
        for (const stream of streams) tellAll(stream)
      }, beatMs)
      onBusy()
    }
    tabs.add(tab)
    tab.cursor = hello.cursor
    tab.reader = hello.reader
    enter(tab, hello.place)
    await navigator.locks.request(hello.lock, () => dismiss(tab))
  }

  function dismiss(tab: Tab): void {
    tab.asking?.abort()
    tab.asking = undefined
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
        reader: undefined,
        isAdmitted: false,
        answer: undefined,
        asking: undefined,
        told: undefined,
        isReading: false,
      }
      port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => {
        if (data === 'next') {
          tab.isReading = false
          tell(tab)
          gather()
        } else if (data === 'wake') tab.stream?.client.reconnect()
        else void receive(tab, data)
      })
      port.start()
    },
  }
}

function isOfOneReader(one: HostedStream, other: HostedStream): boolean {
  return one.isKnown === other.isKnown && readerOf(one) === readerOf(other)
}

function readerOf({ client }: HostedStream): string | undefined {
  return client.getState().reader
}

function seqAt(stream: HostedStream, cursor: string, place?: Place): number | undefined {
  const { lastEventId, clockOffsetMs } = stream.client.getState()
  // Servers of ours tell the time.
  return placeIn({ ...stream, lastEventId, isOurs: clockOffsetMs !== undefined }, cursor, place)
}
