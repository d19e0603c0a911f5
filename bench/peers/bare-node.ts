/** `node:http` and `res.write`, the minimum for a Node server: it encodes each event once, and writes the bytes to each response. Keeps 100,000 events. */
import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerCommon, eventStream, greetings, pauseMs, port } from './peer'

const maxCount = 100_000
const readers = new Set<ServerResponse>()
const history: Buffer[] = []
let lastId = 0

createServer((request, response) => {
  void answerCommon(request, response, publish).then((answered) => {
    if (answered) return
    response.writeHead(200, eventStream)
    if (request.url === '/events') void greet(response)
    else void subscribe(response, request.url?.endsWith('?since=all') === true)
  })
}).listen(port, '127.0.0.1')

function publish(data: string): void {
  const frame = Buffer.from(`id: ${++lastId}\ndata: ${data}\n\n`)
  history.push(frame)
  if (history.length >= 2 * maxCount) history.splice(0, maxCount)
  for (const reader of readers) reader.write(frame)
}

async function subscribe(response: ServerResponse, replay: boolean): Promise<void> {
  response.write(': connected\n\n')
  if (replay) {
    for (const frame of history.slice(-maxCount)) {
      if (!response.write(frame)) await once(response, 'drain')
    }
  }
  readers.add(response)
  response.on('close', () => readers.delete(response))
}

async function greet(response: ServerResponse): Promise<void> {
  for (const [index, message] of greetings.entries()) {
    if (index > 0) await sleep(pauseMs)
    response.write(`data: ${JSON.stringify({ message })}\n\n`)
  }
  response.end()
}
