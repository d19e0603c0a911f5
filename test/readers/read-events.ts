/** Reads a streaming response as a browser does. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** The events of `response` as they arrive. Leaving the loop cancels the stream, as a browser's `close()` does. */
export async function* readEvents(response: Response): AsyncGenerator<EventSourceMessage> {
  if (!response.body) return
  const arrived: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => arrived.push(event) })
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* arrived.splice(0)
  }
}

/** Every event until the server closes the stream. */
export async function readAllEvents(response: Response): Promise<EventSourceMessage[]> {
  const events: EventSourceMessage[] = []
  for await (const event of readEvents(response)) events.push(event)
  return events
}
