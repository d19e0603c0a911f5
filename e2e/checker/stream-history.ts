/** Reads the whole log, as far as it reaches now. */
import { get } from 'node:http'
import { asPublisher } from '../../test/requests/publisher'
import { createFrameParser } from './frame-parser'
import { offsetOf } from './record'

/** Gives `take` everything that is kept of the topics, and resolves once a `ping` or an event has reached `until`. */
export async function readAll(
  origin: string,
  topics: readonly string[],
  until: number,
  take: (type: string, id: string, data: string) => void,
): Promise<void> {
  await openStream(`${origin}/events/${topics.join(',')}?since=all`, (type, id, data) => {
    take(type, id, data)
    // `connected` has the place before the first event.
    return type !== 'connected' && offsetOf(id) >= until
  })
}

/** Calls `take` with each frame that has an id, until it says true. @throws the stream ended before */
function openStream(
  url: string,
  take: (type: string, id: string, data: string) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = 'nothing'
    const request = get(url, { headers: asPublisher, agent: false, timeout: 5_000 }, (answer) => {
      const decoder = new TextDecoder()
      const feed = createFrameParser(({ type, id, data }) => {
        last = `${type} ${id} ${data}`
        if (id === undefined || !take(type, id, data)) return
        resolve()
        request.destroy()
      })
      answer.on('data', (chunk: Buffer) => feed(decoder.decode(chunk, { stream: true })))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', reject)
    request.on('close', () =>
      reject(new Error(`The log could not be read to its end; the last that came was ${last}`)),
    )
  })
}
