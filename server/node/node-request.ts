/** Requests and answers as Node's own server has them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer } from '@/server/answer'
import { createBodyBuffer } from '@/server/routes/body/body-buffer'
import { UploadAbortedError, type ReadBody, type SseRequest } from '@/server/sse/sse-request'
import type { Stream } from '@/server/stream/stream'
import { createWriter } from './stream-writer'
import type { ConfigHeader } from './built-app'

/** How much of a body that was refused is still read, and for how long, so that its client gets the answer. */
const linger = { bytes: 16 * 1024 * 1024, ms: 2_000 }

/** `fromNode` leaves `signal` out: the end of a stream is told by its response. */
export function fromNode(request: IncomingMessage): SseRequest {
  const { method = 'GET', headers, socket } = request
  return {
    method,
    // A `Host` may be no host at all; only the path and the query are looked at.
    url: `http://localhost${request.url}`,
    headers: {
      get(name) {
        // What Next's server adds to a request that comes by no proxy.
        if (name === 'x-forwarded-for') return valueOf(headers[name] ?? socket.remoteAddress)
        return valueOf(headers[name.toLowerCase()])
      },
    },
    signal: undefined,
    toRequest: () => webRequest(request),
    readBody: (maxBytes, share) => readBody(request, maxBytes, share),
  }
}

/**
 * As Next's route handlers get it, without its body: with the headers that Next's server adds. Libraries for sessions rely on them, to
 * know whether a cookie for HTTPS is meant.
 */
function webRequest(request: IncomingMessage): Request {
  const { method = 'GET', socket } = request
  const isHttps = request.headers['x-forwarded-proto']?.includes('https') ?? 'encrypted' in socket
  const port = String(socket.localPort)
  const added = {
    'x-forwarded-host': request.headers.host,
    'x-forwarded-port': port,
    'x-forwarded-proto': isHttps ? 'https' : 'http',
    'x-forwarded-for': socket.remoteAddress,
  }
  const headers = new Headers()
  for (const [name, value] of Object.entries({ ...added, ...request.headers })) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  return new Request(`http${isHttps ? 's' : ''}://localhost:${port}${request.url}`, {
    method,
    headers,
  })
}

/** Sends the answer. What next.config adds to it wins over what the answer itself says, as it does in Next. */
export function sendToNode(
  response: ServerResponse,
  { status, headers, body }: Answer,
  added: readonly ConfigHeader[] = [],
): void {
  const { req: request } = response
  const isStream = typeof body === 'object'
  const hasLength = !isStream && request.method !== 'HEAD' && status !== 204
  // All at once: a call for each header costs more than the rest of this function.
  const all: HeaderValues = added.length > 0 ? merged(headers, added) : { ...headers }
  if (hasLength) all['Content-Length'] = String(Buffer.byteLength(body ?? ''))
  response.writeHead(status, all)
  if (isStream) {
    sendStream(response, body)
    return
  }
  if (!request.complete && headers['Connection'] === 'close') lingerOn(request, response)
  response.end(hasLength ? body : undefined)
}

/** Of these there may be several. */
const listHeaders = new Set(['set-cookie', 'www-authenticate', 'proxy-authenticate', 'vary'])

type HeaderValues = Record<string, string | string[]>

/** What next.config adds to an answer, and the names in it by what they are in lower case. */
interface Added {
  values: HeaderValues
  names: ReadonlyMap<string, string>
}

/** Of a path's headers, which stay the same array. */
const addedBy = new WeakMap<readonly ConfigHeader[], Added>()

function collect(headers: readonly ConfigHeader[]): Added {
  const values: HeaderValues = {}
  const names = new Map<string, string>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    const key = names.get(lower) ?? name
    names.set(lower, key)
    const isAnother = lower === 'set-cookie' && values[key] !== undefined
    values[key] = isAnother ? [values[key] ?? [], value].flat() : value
  }
  return { values, names }
}

/** As in Next: a header of next.config wins over the route's, and headers that may come several times are all sent. */
function merged(headers: Record<string, string>, added: readonly ConfigHeader[]): HeaderValues {
  let known = addedBy.get(added)
  if (!known) addedBy.set(added, (known = collect(added)))
  const all = { ...known.values }
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    const key = known.names.get(lower)
    if (key === undefined) {
      all[name] = value
      continue
    }
    const first = all[key] ?? []
    if (listHeaders.has(lower) && ![first].flat().includes(value)) all[key] = [first, value].flat()
  }
  return all
}

/** Writes the stream to the response, and ends both together. */
export function sendStream(response: ServerResponse, stream: Stream): void {
  if (response.destroyed) {
    stream.stop()
    return
  }
  // It comes, because a stream only opens on a response that has its socket.
  response.once('close', stream.stop)
  stream.send({
    write: createWriter(response, stream.goOn),
    close: () => void response.end(),
  })
}

function valueOf(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value.join(', ') : value) ?? null
}

function readBody(
  request: IncomingMessage,
  ...[maxBytes, share]: Parameters<ReadBody>
): ReturnType<ReadBody> {
  const buffer = createBodyBuffer(maxBytes, share)
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
    }
    const onData = (chunk: Buffer): void => {
      const refused = buffer.add(chunk)
      if (!refused) return
      request.pause()
      leave()
      resolve(refused)
    }
    const onEnd = (): void => {
      leave()
      resolve(buffer.bytes)
    }
    const onClose = (cause?: Error): void => {
      leave()
      reject(new UploadAbortedError('The client went away while its body arrived.', { cause }))
    }
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
    // Its end may never come then, even if all of it has arrived.
    if (request.destroyed) onClose()
  })
}

/**
 * Node closes the connection once the answer is written. If bytes of the body are unread then, the kernel resets the connection, and the
 * client may lose the answer. So the rest is read for a while, and thrown away.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
function lingerOn(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  let left = linger.bytes
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) socket.destroy()
  })
  request.resume()
  if (response.socket) closeSlowly(request, socket)
  // It is not yet the turn of this response.
  else response.once('socket', () => closeSlowly(request, socket))
}

function closeSlowly(request: IncomingMessage, socket: Socket): void {
  if (request.complete) return
  const timer = setTimeout(() => socket.destroy(), linger.ms)
  socket.once('close', () => clearTimeout(timer))
  const destroySoon = socket.destroySoon.bind(socket)
  request.once('end', destroySoon)
  // What Node calls when the answer is written.
  socket.destroySoon = () => void socket.end()
}
