/** Reads by docs/protocol.md alone, on a socket of its own: its cursor moves once a frame is complete. */
import { get, type ClientRequest } from 'node:http'
import { createFrameParser, type Frame } from '../frame-parser'
import type { Ledger } from '../ledger'
import type { Random } from '../random'
import { createPace } from './pace'
import {
  createRecorder,
  pathOf,
  type Reader,
  type ReaderCounts,
  type ReaderSetting,
} from './recorder'

/** A server that sends nothing for so long is dead: 2.5 heartbeats. */
const silentMs = 5_000

export function startRawReader(
  setting: ReaderSetting,
  ledger: Ledger,
  counts: ReaderCounts,
  random: Random,
  onRefused: (message: string) => void,
): Reader {
  const { origin, token, manner } = setting
  const recorder = createRecorder(setting, ledger, counts)
  const pace = createPace(manner, random)
  const path = pathOf(setting, random.between(1, 400))
  let cursor = ''
  let request: ClientRequest | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let leaving: ReturnType<typeof setTimeout> | undefined
  let absentMs: number | undefined
  let retryMs = 0
  let isAway = false
  let isCalm = false
  let isOver = false

  function take({ id, type, data }: Frame): void {
    if (isOver) return
    if (id !== undefined) cursor = id
    recorder.take(type, id ?? cursor, data)
    if (type === 'reconnect') ({ retryMs } = JSON.parse(data) as { retryMs: number })
  }

  function planToLeave(): void {
    if (!manner.leaves || isCalm) return
    const afterMs = random.between(2_000, 20_000)
    leaving = setTimeout(() => {
      absentMs = random.isLucky(0.2)
        ? random.between(20_000, 80_000)
        : random.between(1_000, 15_000)
      request?.destroy()
    }, afterMs)
  }

  function connect(): void {
    const decoder = new TextDecoder()
    // What an earlier connection still holds does not count any more: this one gets it again.
    const feed = createFrameParser((frame) => {
      if (request === asked) take(frame)
    })
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(cursor !== '' && { 'last-event-id': cursor }),
    }
    absentMs = undefined
    isAway = false
    retryMs = random.between(50, 500)
    const asked = get(`${origin}${path}`, { headers, agent: false }, (answer) => {
      if (answer.statusCode !== 200) {
        onRefused(`${setting.name} asked for ${path} and got ${answer.statusCode}`)
        asked.destroy()
        return
      }
      planToLeave()
      answer.on('data', (chunk: Buffer) => {
        feed(decoder.decode(chunk, { stream: true }))
        const delayMs = pace.delayAfter(chunk.length)
        if (delayMs === 0) return
        answer.pause()
        setTimeout(() => answer.resume(), delayMs)
      })
    })
    request = asked
    asked.setTimeout(silentMs, () => asked.destroy())
    // A broken connection is an ending like any other here.
    asked.on('error', () => {})
    asked.on('close', () => {
      clearTimeout(leaving)
      if (isOver) return
      isAway = absentMs !== undefined && !isCalm
      timer = setTimeout(connect, isAway ? absentMs : retryMs)
    })
  }

  connect()
  return {
    record: recorder.record,
    calmDown() {
      isCalm = true
      pace.calmDown()
      clearTimeout(leaving)
      // A reader that is away comes back now.
      if (!isAway) return
      clearTimeout(timer)
      connect()
    },
    stop() {
      isOver = true
      clearTimeout(timer)
      clearTimeout(leaving)
      request?.destroy()
    },
  }
}
