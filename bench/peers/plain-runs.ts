/** Tokens written by `res.write` to the one reader who asked for them: the minimum for a Node server. Nobody can join or come back. */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { eventStream, port, readMetrics } from './peer'
import { createTokens, parseTokenRequest, type TokenRequest } from './tokens'

let asked: TokenRequest = { name: '', runs: 0, tokens: 0, everyMs: 0, holdMs: 0 }

createServer(async (request, response) => {
  if (request.url === '/metrics') {
    response.end(await readMetrics())
  } else if (request.method === 'POST') {
    asked = parseTokenRequest(await text(request))
    response.writeHead(201).end()
  } else {
    response.writeHead(200, eventStream)
    let number = 0
    for await (const token of createTokens(asked)) {
      response.write(`id: ${++number}\ndata: ${JSON.stringify(token)}\n\n`)
    }
    response.end()
  }
}).listen(port, '127.0.0.1')
