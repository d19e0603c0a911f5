/** A page that reads with its browser's cookie, by docs/protocol.md: it goes on only as the reader that it began with. */
import { get, type ClientRequest } from 'node:http'
import { createFrameParser, type Frame } from '../frame-parser'
import type { Ledger } from '../ledger'
import type { Random } from '../random'
import { createRecorder, type Recorder, type ReaderCounts } from '../readers/recorder'
import { paths, streamHeader, type Path } from './session-app'
import type { StreamEnd, StreamRecord } from './session-record'
import type { Login, SessionStore } from './session-store'

export interface SessionPage {
  record: Recorder['record']
  streams: readonly StreamRecord[]
  /** Takes nothing for so long. */
  freeze: (ms: number) => void
  close: () => void
}

export interface PageSetting {
  name: string
  origins: readonly string[]
  path: Path
  topics: readonly string[]
  /** Whose page it is. */
  login: Login
  /** What the browser has now. */
  cookie: () => string | undefined
  store: SessionStore
  ledger: Ledger
  counts: ReaderCounts
  random: Random
  /** The server refuses to go on: the page shows that, and stays as it is. */
  onOver: (status: number) => void
}

/** 2.5 heartbeats. */
const silentMs = 5_000

export function openSessionPage(setting: PageSetting): SessionPage {
  const { name, origins, path, topics, login, cookie, store, ledger, counts, random, onOver } =
    setting
  const { record, take } = createRecorder({ name, topics, start: 'now' }, ledger, counts)
  const streams: StreamRecord[] = []
  let cursor = ''
  let reader = ''
  let request: ClientRequest | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  function connect(): void {
    const sent = cookie()
    const isTheirs = store.loginOf(sent) === login
    const stream: StreamRecord = {
      name: `${name}, stream ${streams.length + 1}`,
      topics,
      isConfirmed: path === 'confirmed',
      askedAt: Date.now(),
      login: isTheirs ? login : undefined,
      openedAt: undefined,
      shown: [],
      end: undefined,
    }
    streams.push(stream)
    let retryMs = random.between(50, 500)
    const finish = (end: StreamEnd): void => void (stream.end ??= end)

    function takeFrame({ id, type, data }: Frame): void {
      if (isClosed || request !== asked) return
      if (id !== undefined) cursor = id
      if (type === 'connected') {
        stream.openedAt = Date.now()
        ;({ reader } = JSON.parse(data) as { reader: string })
      }
      if (type === 'reconnect') {
        const told = JSON.parse(data) as { reason: string; retryMs: number }
        ;({ retryMs } = told)
        finish({ kind: 'sent-away', at: Date.now(), reason: told.reason })
      }
      const before = record.items.length
      take(type, id ?? cursor, data)
      const item = record.items[before]
      if (item?.kind !== 'event') return
      stream.shown.push({ at: item.at, event: item.sighting.event, id: item.sighting.id })
    }

    const query = reader === '' ? '' : `?reader=${encodeURIComponent(reader)}`
    const headers = {
      [streamHeader]: stream.name,
      ...(sent !== undefined && { cookie: sent }),
      ...(cursor !== '' && { 'last-event-id': cursor }),
    }
    const url = `${random.pick(origins)}${paths[path]}/${topics.join(',')}${query}`
    const asked = get(url, { headers, agent: false }, (answer) => {
      const { statusCode: status = 0 } = answer
      if (status === 200) {
        const decoder = new TextDecoder()
        const feed = createFrameParser(takeFrame)
        answer.on('data', (chunk: Buffer) => feed(decoder.decode(chunk, { stream: true })))
        return
      }
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => {
        if (isClosed) return
        const code = /"code":"([\w-]+)"/.exec(text)?.[1] ?? ''
        const isStillIn = isTheirs && store.loginOf(cookie()) === login
        finish({ kind: 'refused', at: Date.now(), status, code, isStillIn })
        if (status === 503) return
        close()
        onOver(status)
      })
    })
    request = asked
    asked.setTimeout(silentMs, () => asked.destroy())
    // A broken connection is an ending like any other here.
    asked.on('error', () => {})
    asked.on('close', () => {
      finish({ kind: 'broken', at: Date.now() })
      if (!isClosed) timer = setTimeout(connect, retryMs)
    })
  }

  function close(): void {
    isClosed = true
    clearTimeout(timer)
    request?.destroy()
  }

  connect()
  return {
    record,
    streams,
    freeze(ms) {
      const { socket } = request ?? {}
      socket?.pause()
      setTimeout(() => socket?.resume(), ms)
    },
    close,
  }
}
