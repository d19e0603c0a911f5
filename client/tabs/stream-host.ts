/**
 * Reads streams in the worker, for all tabs. Usually there is one stream. A tab that needs older events than this stream holds gets
 * another one until it has caught up. A tab gets the next items only after it has read the last ones, so nothing queues for a slow
 * tab. A tab that joins a stream gets no items before the server has named the tab's reader, so no reader sees another's events.
 */
import type { Connect, Place } from '@/client/connection/connection'
import { askReader } from './ask-reader'
import {
  createTab,
  isOfOneReader,
  openHostedStream,
  seqAt,
  type HostedStream,
  type Tab,
} from './hosted-stream'
import { newsFor } from './news-for'
import {
  beatMs,
  type FromTab,
  type FromWorker,
  type Hello,
  type SharedStreamOptions,
} from './shared-stream'

export interface StreamHost {
  /** Serves the tab at the other end of `port`. Resolves when the tab has gone. */
  serve: (port: MessagePort, hello: Hello) => Promise<void>
  hasTabs: () => boolean
}

/** `lock` is the one that the worker holds while it lives. */
export function createStreamHost(
  options: SharedStreamOptions,
  { lock, connect }: { lock: string; connect: Connect },
): StreamHost {
  const tabs = new Set<Tab>()
  /** The live ones, oldest first. */
  const streams = new Set<HostedStream>()
  let beat: ReturnType<typeof setInterval> | undefined

  function open({ cursor: from, reader }: Tab): HostedStream {
    const stream = openHostedStream({
      name: crypto.randomUUID(),
      from,
      reader,
      stream: options,
      connect,
      onChange,
      onError: ({ tabs: following }, failure) => {
        for (const { port } of following) port.postMessage({ failure } satisfies FromWorker)
      },
    })
    streams.add(stream)
    stream.controller.open()
    return stream
  }

  function onChange(stream: HostedStream): void {
    if (stream.state.error?.kind === 'reader') end(stream)
    learnReader(stream)
    for (const tab of stream.tabs) tell(tab)
    if (stream.state.readyState === 2) streams.delete(stream)
    else gather()
  }

  /** When two streams have different readers, the browser's reader is that of the newer one. */
  function learnReader(stream: HostedStream): void {
    const { status, reader } = stream.state
    if (stream.isKnown || status !== 'open' || reader === undefined) return
    stream.isKnown = true
    const newest = Array.from(streams).findLast(({ isKnown }) => isKnown)
    endAllBut(newest?.state.reader ?? reader)
  }

  /** The browser's reader is `reader` now. */
  function endAllBut(reader: string): void {
    for (const stream of streams) {
      if (stream.isKnown && stream.state.reader !== reader) end(stream)
    }
  }

  /** Stops a stream of the reader before. Its tabs hear of it, and each decides what to do. */
  function end(stream: HostedStream): void {
    if (stream.isOver) return
    stream.isOver = true
    streams.delete(stream)
    stream.controller.disable()
  }

  /** Gives `tab` a stream that can go on where the tab is. */
  function assignStream(tab: Tab, place?: Place): void {
    for (const stream of streams) {
      const seq = seqAt(stream, tab.cursor, place)
      if (seq === undefined) continue
      move(tab, stream, seq)
      return
    }
    openOwnStream(tab)
  }

  /** Opens a stream for this tab. The tab may have all of it, because the server grants it to the reader of now. */
  function openOwnStream(tab: Tab): void {
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
    const { status, reader, clockOffsetMs } = stream.state
    if (status !== 'open') return
    if (reader === undefined) {
      // A server that names readers does so before anything else.
      tab.isAdmitted = stream.seq > 0 || clockOffsetMs !== undefined
    } else if (tab.answer) {
      const { reader: said } = tab.answer
      if (said !== undefined) endAllBut(said)
      if (stream.isOver) return
      if (said === reader && said === (tab.reader ?? said)) tab.isAdmitted = true
      else openOwnStream(tab)
    } else if (!tab.asking) void ask(tab)
  }

  async function ask(tab: Tab): Promise<void> {
    const asking = new AbortController()
    tab.asking = asking
    const reader = await askReader(options, asking)
    if (tab.asking !== asking) return
    tab.asking = undefined
    tab.answer = { reader }
    tab.sentState = undefined
    tell(tab)
  }

  function leave(tab: Tab): void {
    const { stream } = tab
    if (!stream?.tabs.delete(tab)) return
    tellAll(stream)
    if (stream.tabs.size > 0) return
    streams.delete(stream)
    stream.controller.disable()
  }

  /** A tab that has caught up goes on with the others. */
  function gather(): void {
    const [first, ...others] = streams
    if (!first) return
    for (const stream of others) {
      // Before the server has named the reader of both, the tab would have to ask who it is.
      if (!isOfOneReader(stream, first)) continue
      for (const tab of stream.tabs) {
        const seq = tab.cursor === '' ? undefined : seqAt(first, tab.cursor)
        if (seq !== undefined) move(tab, first, seq)
      }
    }
  }

  /** Sends news to each tab, even if only the number of tabs has changed. */
  function tellAll(stream: HostedStream): void {
    for (const tab of stream.tabs) {
      tab.sentState = undefined
      tell(tab)
    }
  }

  function tell(tab: Tab): void {
    if (tab.stream && !tab.isAdmitted) admit(tab, tab.stream)
    const { port, stream, isAdmitted } = tab
    if (!stream || tab.isReading) return
    const state = stream.state
    if (tab.sentState === state) return
    const unread = stream.seq - tab.seq
    // The tab needs older items than the stream holds. Without ids no server can send them again: it goes on with what comes.
    if (unread > stream.items.length || (stream.isOver && !isAdmitted)) {
      assignStream(tab)
      return
    }
    const news = newsFor(tab, stream, lock)
    const { seq, lastEventId: cursor } = news
    Object.assign(tab, { seq, cursor, sentState: state, isReading: true })
    port.postMessage(news)
  }

  function dismiss(tab: Tab): void {
    tab.asking?.abort()
    tab.asking = undefined
    tab.port.close()
    tabs.delete(tab)
    leave(tab)
    if (tabs.size > 0) return
    clearInterval(beat)
    beat = undefined
  }

  return {
    hasTabs: () => tabs.size > 0,
    async serve(port, hello) {
      beat ??= setInterval(() => {
        for (const stream of streams) tellAll(stream)
      }, beatMs)
      const tab = createTab(port, hello)
      tabs.add(tab)
      port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => {
        if (data === 'next') {
          tab.isReading = false
          tell(tab)
          gather()
        } else if (data === 'wake') tab.stream?.controller.reconnect()
      })
      assignStream(tab, hello.place)
      await navigator.locks.request(hello.lock, () => dismiss(tab))
    },
  }
}
