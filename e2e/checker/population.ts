/** Readers of all kinds over one to thirty-two topics: some stay for the whole run, others come and go. */
import type { Ledger } from './ledger'
import type { Random } from './random'
import { startNativeReader } from './readers/native-reader'
import { startOwnReader } from './readers/own-reader'
import { startRawReader } from './readers/raw-reader'
import {
  noCounts,
  type Manner,
  type Reader,
  type ReaderCounts,
  type ReaderSetting,
} from './readers/recorder'
import type { ReaderRecord } from './record'
import { allTopics, bulkyTopics, openTopics, readerToken, secretTopics } from './setting'

export interface Population {
  records: ReaderRecord[]
  counts: ReaderCounts
  /** Nobody comes, leaves, or is slow from now on. */
  calmDown: () => void
  stop: () => void
}

const kinds = { raw: startRawReader, native: startNativeReader, own: startOwnReader }
const bulkyShare = 0.2

export function startPopulation(setting: {
  count: number
  origins: readonly string[]
  ledger: Ledger
  random: Random
  onRefused: (message: string) => void
}): Population {
  const { count, origins, ledger, random, onRefused } = setting
  const counts = noCounts()
  const records: ReaderRecord[] = []
  const reading = new Set<Reader>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  let isOver = false

  function chooseTopics(): { topics: string[]; token: string | undefined } {
    if (random.isLucky(0.1)) return { topics: allTopics, token: readerToken(['*']) }
    const isBulky = random.isLucky(bulkyShare)
    const open = openTopics.filter((topic) => isBulky || !bulkyTopics.includes(topic))
    const granted = random.isLucky(0.4) ? random.sample(secretTopics, random.between(1, 4)) : []
    const wanted = random.pick([1, 1, 1, 2, 3, 5, 8, 16])
    const topics = random.sample([...open, ...granted], wanted)
    // What the test is after, and so often both.
    if (isBulky && wanted > 1) topics.splice(0, 2, ...bulkyTopics)
    return {
      topics: [...new Set(topics)],
      token: granted.length > 0 ? readerToken(granted) : undefined,
    }
  }

  function chooseManner(kind: keyof typeof kinds): Manner {
    return {
      ...(random.isLucky(0.25) && { bytesPerSecond: random.between(20_000, 200_000) }),
      pauses: random.isLucky(0.3),
      leaves: kind === 'raw' && random.isLucky(0.5),
    }
  }

  function add(): void {
    const kind = random.pick(['raw', 'raw', 'native', 'own'] as const)
    const own: ReaderSetting = {
      name: `${kind} ${records.length + 1}`,
      origin: random.pick(origins),
      ...chooseTopics(),
      start: random.pick(['now', 'last', 'all']),
      manner: chooseManner(kind),
    }
    const reader = kinds[kind](own, ledger, counts, random.fork(own.name), (message) => {
      onRefused(message)
      replace(reader)
    })
    reading.add(reader)
    records.push(reader.record)
    if (random.isLucky(0.3)) later(random.between(5_000, 60_000), () => replace(reader))
  }

  function replace(reader: Reader): void {
    if (!reading.delete(reader) || isOver) return
    reader.stop()
    reader.record.isLive = false
    later(random.between(0, 1_000), add)
  }

  function later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, ms)
    timers.add(timer)
  }

  for (let n = 0; n < count; n++) add()
  return {
    records,
    counts,
    calmDown() {
      isOver = true
      for (const timer of timers) clearTimeout(timer)
      for (const reader of reading) reader.calmDown()
    },
    stop() {
      isOver = true
      for (const timer of timers) clearTimeout(timer)
      for (const reader of reading) reader.stop()
    },
  }
}
