/**
 * Runs the app behind servers of its own: two that ask Next, and one that answers by itself. The first one refuses requests without a
 * `Pass` when `GUARDED` is set. At SIGUSR1 it closes.
 */
const { createServer } = require('node:http')
const next = require('next')

const app = next({ dir: process.cwd() })
const handle = app.getRequestHandler()

const first = createServer((request, response) => {
  if (process.env.GUARDED && request.headers.pass === undefined) {
    response.writeHead(401).end('No pass.')
    return
  }
  handle(request, response)
})
const second = createServer(handle)
const other = createServer((request, response) => response.end(`not Next: ${request.url}`))

async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}

async function start() {
  await app.prepare()
  console.log(`Second: ${await listen(second)}\nOther: ${await listen(other)}`)
  console.log(`Local: ${await listen(first)}\nReady in no time`)
}

process.on('SIGUSR1', () => first.close(() => console.log('Closed.')))
void start()
