/** Publishes on many topics: single events, batches, and idempotent ones that are sent again until they are acknowledged. */
import { Agent, request } from 'node:http'
import { asPublisher } from '../../test/requests/publisher'
import type { Ledger } from './ledger'
import type { Random } from './random'
import { noteType } from './readers/recorder'
import type { Attempt, PublishedEvent } from './record'
import { sleep } from './setting'

export interface Publishers {
  counts: {
    requests: number
    acknowledged: number
    unknown: number
    refused: number
    again: number
  }
  /** Resolves once nothing is under way. Repeating what got no answer waits, too. */
  pause: () => Promise<void>
  resume: () => void
  /** Publishes so many events to a topic, in batches, and each batch once. */
  flood: (topic: string, count: number, bytes: number) => Promise<void>
  /** Publishes one event, as often as it takes. Works while the others pause. */
  publishSurely: (topic: string) => Promise<PublishedEvent>
  stop: () => Promise<void>
}

interface Message {
  topic: string
  items: { event: PublishedEvent; data: string }[]
  idempotencyKey?: string
  type?: string
}

const workers = 6
/** Longer than any pause of a proxy or of a server. */
const timeoutMs = 15_000
const repeatForMs = 30_000
const batchCount = 50

export function startPublishers(setting: {
  origins: readonly string[]
  topics: readonly string[]
  ledger: Ledger
  random: Random
  /** Roughly, of all workers together. */
  requestsPerSecond: number
  onWrongAnswer: (message: string) => void
}): Publishers {
  const { origins, topics, ledger, random, requestsPerSecond, onWrongAnswer } = setting
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const counts = { requests: 0, acknowledged: 0, unknown: 0, refused: 0, again: 0 }
  let paused: { ended: Promise<void>; end: () => void } | undefined
  const over = new AbortController()
  const sending = new Set<Promise<boolean>>()

  /** True once acknowledged. */
  function send(message: Message): Promise<boolean> {
    const sent = sendOnce(message)
    sending.add(sent)
    void sent.finally(() => sending.delete(sent))
    return sent
  }

  async function sendOnce({ topic, items, idempotencyKey, type }: Message): Promise<boolean> {
    const attempt: Attempt = { startedAt: Date.now(), endedAt: Infinity }
    const attempts = items.map(({ event }) => {
      const own = { ...attempt }
      event.attempts.push(own)
      return own
    })
    counts.requests++
    if (attempts.length > 0 && (items[0]?.event.attempts.length ?? 0) > 1) counts.again++
    const answer = await post(
      `${random.pick(origins)}/events/${topic}${type ? `?type=${type}` : ''}`,
      {
        body: items.map(({ data }) => data).join('\n'),
        headers: {
          ...asPublisher,
          'content-type': items.length > 1 ? 'application/x-ndjson' : 'application/json',
          ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        },
        agent,
      },
    )
    for (const own of attempts) own.endedAt = Date.now()
    if (answer?.status !== 201) {
      if (!answer) counts.unknown++
      else if (answer.status === 503) counts.refused++
      else onWrongAnswer(`POST ${topic} got ${answer.status}: ${answer.text.slice(0, 200)}`)
      return false
    }
    const { ids } = JSON.parse(answer.text) as { ids: string[] }
    if (ids.length !== items.length) {
      onWrongAnswer(`POST ${topic} of ${items.length} events got ${ids.length} ids`)
    }
    for (const [index, { event }] of items.entries()) {
      const [own, id] = [attempts[index], ids[index]]
      if (!own || id === undefined) continue
      own.id = id
      ledger.acknowledge(id, event)
    }
    counts.acknowledged += items.length
    return true
  }

  function compose(topic: string, count: number, bytes: number): Message['items'] {
    return Array.from({ length: count }, () => ledger.create(topic, bytes))
  }

  async function publishSomething(): Promise<void> {
    const topic = random.pick(topics)
    const count = random.isLucky(0.25) ? random.between(2, 15) : 1
    // Most are small; some are long enough to be cut in the middle.
    const bytes = random.isLucky(0.1) ? random.between(500, 4_000) : random.between(1, 120)
    const items = compose(topic, count, bytes)
    const type = random.isLucky(0.2) ? { type: noteType } : {}
    if (!random.isLucky(0.35)) {
      await send({ topic, items, ...type })
      return
    }
    const idempotencyKey = items[0]?.event.key ?? ''
    const until = Date.now() + repeatForMs
    while (!over.signal.aborted && !(await send({ topic, items, idempotencyKey, ...type }))) {
      if (Date.now() > until) return
      await sleep(random.between(50, 400))
      await paused?.ended
    }
    // A publisher that did not hear the answer asks again, though it was acknowledged.
    if (!over.signal.aborted && !paused && random.isLucky(0.1))
      await send({ topic, items, idempotencyKey, ...type })
  }

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      await paused?.ended
      if (over.signal.aborted) return
      await publishSomething()
      await sleep(-Math.log(1 - random()) * (workers / requestsPerSecond) * 1_000)
    }
  }

  const working = Array.from({ length: workers }, work)

  function resume(): void {
    paused?.end()
    paused = undefined
  }

  return {
    counts,
    async pause() {
      if (!paused) {
        let end = (): void => {}
        const ended = new Promise<void>((resolve) => (end = resolve))
        paused = { ended, end }
      }
      while (sending.size > 0) await Promise.all(sending)
    },
    resume,
    async flood(topic, count, bytes) {
      for (let left = count; left > 0 && !over.signal.aborted; left -= batchCount) {
        await send({ topic, items: compose(topic, Math.min(left, batchCount), bytes) })
      }
    },
    async publishSurely(topic) {
      const items = compose(topic, 1, 1)
      const [{ event } = { event: undefined }] = items
      if (!event) throw new Error('There is nothing to publish.')
      while (!(await send({ topic, items, idempotencyKey: event.key }))) await sleep(100)
      return event
    },
    async stop() {
      over.abort()
      resume()
      await Promise.all(working)
      agent.destroy()
    },
  }
}

/** Undefined where no whole answer came. */
function post(
  url: string,
  { body, headers, agent }: { body: string; headers: Record<string, string>; agent: Agent },
): Promise<{ status: number; text: string } | undefined> {
  return new Promise((resolve) => {
    const posting = request(
      url,
      { method: 'POST', headers, agent, timeout: timeoutMs },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (piece: string) => (text += piece))
        answer.on('end', () =>
          resolve(answer.complete ? { status: answer.statusCode ?? 0, text } : undefined),
        )
        answer.on('error', () => resolve(undefined))
      },
    )
    posting.on('timeout', () => posting.destroy())
    posting.on('error', () => resolve(undefined))
    posting.on('close', () => resolve(undefined))
    posting.end(body)
  })
}
