/** Reads everything that the log keeps, at certain moments, as one more reader for the judge. */
import type { Cluster } from './cluster'
import type { Ledger } from './ledger'
import { createRecorder } from './readers/recorder'
import type { ReaderRecord } from './record'
import { allTopics, sleep } from './setting'
import type { Storage } from './storage'
import { readAll } from './stream-history'

export interface Auditor {
  records: ReaderRecord[]
  /** Reads up to an offset. @throws no server gives that much within a while */
  audit: (until: number) => Promise<void>
}

const attempts = 20
const retryMs = 500

export function createAuditor(cluster: Cluster, storage: Storage, ledger: Ledger): Auditor {
  const records: ReaderRecord[] = []

  async function audit(until: number, attempt = 1): Promise<void> {
    const server = attempt % cluster.ports.length
    const name = `audit ${records.length + 1}`
    const { record, take } = createRecorder({ name, topics: allTopics, start: 'all' }, ledger)
    try {
      await readAll(cluster.urlOf(server), allTopics, until, take)
    } catch (cause) {
      if (attempt === attempts) throw new Error(cluster.lastWordsOf(server), { cause })
      await sleep(retryMs)
      return await audit(until, attempt + 1)
    }
    record.isLive = false
    // Read after the audit: what is kept now was kept then.
    record.kept = { upTo: until, offsets: await storage.kept() }
    records.push(record)
  }

  return { records, audit: (until) => audit(until) }
}
