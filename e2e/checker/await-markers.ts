/** The end of a run: readers have caught up once they have what was published last. */
import type { PublishedEvent, ReaderRecord } from './record'
import { sleep } from './setting'

const catchUpMs = 90_000

/** Readers that do not make it in time are found by the judge. */
export async function awaitMarkers(
  records: readonly ReaderRecord[],
  markers: readonly PublishedEvent[],
): Promise<void> {
  const until = Date.now() + catchUpMs
  const lastOf = ({ topics }: ReaderRecord): PublishedEvent | undefined =>
    markers.findLast(({ topic }) => topics.includes(topic))
  const isThere = (record: ReaderRecord): boolean => {
    const last = record.items.findLast(({ kind }) => kind === 'event')
    return last?.kind === 'event' && last.sighting.event === lastOf(record)
  }
  while (Date.now() < until && !records.every((record) => !record.isLive || isThere(record))) {
    await sleep(200)
  }
}
