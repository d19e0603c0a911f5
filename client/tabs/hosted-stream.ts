/**
 * A stream in the worker: a connection, a controller, the newest items, and the tabs that follow it. Tabs get the items in batches,
 * at the pace at which a page would show them.
 */
import type { Connect, Place } from '@/client/connection/connection'
import { createController, type Controller } from '@/client/controller'
import { createRenewal } from '@/client/connection/renewal'
import type { StreamError } from '@/client/stream-error'
import { initialStreamProgress, type StreamProgress } from '@/client/stream-state'
import { placeIn } from './place-in-stream'
import type { Hello, Item, SharedStreamOptions } from './shared-stream'

export interface HostedStream {
  name: string
  /** The cursor with which the stream was opened. */
  from: string
  /** A run is read from its beginning. */
  isWhole: boolean
  controller: Controller
  /** The state after the newest of `items`. A new object after each change. */
  state: Readonly<StreamProgress>
  /** The newest items; `seq` counts them together with the older ones that are no longer kept. */
  items: readonly Item[]
  seq: number
  tabs: Set<Tab>
  /** True when the server has named the stream's reader. */
  isKnown: boolean
  /** The browser has another reader now. */
  isOver: boolean
}

/** A tab, as the worker knows it. */
export interface Tab {
  port: MessagePort
  stream: HostedStream | undefined
  /** How many items of the stream the tab will have after the last news, and the cursor after them. */
  seq: number
  cursor: string
  /** The reader key that the page expects, if it knows one. */
  reader: string | undefined
  /** True when the server has confirmed that the tab and its stream have the same reader. */
  isAdmitted: boolean
  /** The server's answer about the tab's reader, since the tab joined. */
  answer: { reader: string | undefined } | undefined
  asking: AbortController | undefined
  /** The state that was last sent to the tab. Undefined when the tab needs news in any case. */
  sentState: Readonly<StreamProgress> | undefined
  /** True while the tab has not read the last news yet. */
  isReading: boolean
}

interface HostedStreamOptions {
  name: string
  from: string
  reader: string | undefined
  stream: SharedStreamOptions
  connect: Connect
  /** Something came, or the stream stands differently. */
  onChange: (stream: HostedStream) => void
  onError: (stream: HostedStream, error: StreamError) => void
}

/** Kept at least, so that a tab which was away for a moment finds what it missed. */
const leastItems = 1_000
/** Kept at most for the slowest tab, which may be suspended: beyond that it has to ask the server again. */
const mostItems = 100_000

export function openHostedStream(options: HostedStreamOptions): HostedStream {
  const { name, from, stream: wanted, connect, onChange, onError } = options
  const progress = initialStreamProgress(from, options.reader)
  let coming: Item[] = []

  const show = createRenewal(() => {
    keep()
    stream.state = { ...progress }
    onChange(stream)
  })

  function take(item: Item): void {
    coming.push(item)
    show()
  }

  function keep(): void {
    if (coming.length === 0) return
    stream.seq += coming.length
    const unread = stream.seq - Math.min(...Array.from(stream.tabs, ({ seq }) => seq))
    const most = Math.min(mostItems, Math.max(leastItems, wanted.maxEvents, unread))
    stream.items = stream.items.concat(coming).slice(-most)
    coming = []
  }

  const controller = createController({
    connect,
    progress,
    maxAttempts: wanted.maxAttempts,
    sink: {
      show,
      event: take,
      gap: take,
      error: (error) => onError(stream, error),
      // The host ends such a stream, and each tab does with its own list what it must.
      readerChanged() {},
      begin() {},
    },
  })
  const stream: HostedStream = {
    name,
    from,
    isWhole: new URL(wanted.url).searchParams.get('since') === 'run',
    controller,
    state: { ...progress },
    items: [],
    seq: 0,
    tabs: new Set(),
    isKnown: false,
    isOver: false,
  }
  return stream
}

/** The tab at the other end of `port`. */
export function createTab(port: MessagePort, { cursor, reader }: Hello): Tab {
  return {
    port,
    stream: undefined,
    seq: 0,
    cursor,
    reader,
    isAdmitted: false,
    answer: undefined,
    asking: undefined,
    sentState: undefined,
    isReading: false,
  }
}

export function isOfOneReader(one: HostedStream, other: HostedStream): boolean {
  return one.isKnown === other.isKnown && one.state.reader === other.state.reader
}

/** How many items a reader at `cursor` or `place` has; undefined when the stream can't tell. */
export function seqAt(stream: HostedStream, cursor: string, place?: Place): number | undefined {
  const { lastEventId, clockOffsetMs } = stream.state
  // Servers of ours tell the time.
  return placeIn({ ...stream, lastEventId, isOurs: clockOffsetMs !== undefined }, cursor, place)
}
