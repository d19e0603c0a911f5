/** Sends requests unchanged, where `fetch` would correct or refuse them: any method, path, header and body, whole or in parts. */
import {
  request as httpRequest,
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
} from 'node:http'
import { gunzipSync } from 'node:zlib'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** The whole body, or the first bytes of a stream. */
  body: string
}

export interface RequestOptions {
  /** Default `GET`. */
  method?: string
  headers?: Record<string, string>
  /** Default: a new connection. */
  agent?: Agent
  /** The time limit for the whole answer. Default 15,000. */
  timeoutMs?: number
}

/**
 * Opens a request without ending it: the caller writes its body, and ends or destroys it. The answer may come before that. A stream is
 * closed after its first bytes. `path` is sent unchanged.
 */
export function openRequest(
  url: string,
  path: string,
  { method = 'GET', headers = {}, agent, timeoutMs = 15_000 }: RequestOptions = {},
): { request: ClientRequest; answer: Promise<Answer> } {
  const request = httpRequest(url, { method, path, headers, agent: agent ?? false })
  const answer = new Promise<Answer>((resolve, reject) => {
    const timer = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs)
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      const finish = (): void => {
        const { statusCode: status = 0, headers: answered } = response
        const bytes = Buffer.concat(chunks)
        const isCompressed = answered['content-encoding'] === 'gzip' && bytes.length > 0
        const body = (isCompressed ? gunzipSync(bytes) : bytes).toString()
        resolve({ status, headers: answered, body })
      }
      const isStream = response.headers['content-type']?.startsWith('text/event-stream')
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (!isStream) return
        finish()
        request.destroy()
      })
      response.on('end', finish)
      response.on('error', reject)
    })
  })
  return { request, answer }
}

/** Sends a request and resolves with its answer. Rejects when the connection broke before that. */
export function sendRequest(
  url: string,
  path: string,
  {
    body,
    headers = {},
    ...options
  }: RequestOptions & { body?: string | Uint8Array | undefined } = {},
): Promise<Answer> {
  const isFramed = body === undefined || 'transfer-encoding' in headers
  // Node sets no length for the body of a GET or a DELETE.
  const framing = isFramed ? {} : { 'content-length': `${Buffer.byteLength(body)}` }
  const { request, answer } = openRequest(url, path, {
    ...options,
    headers: { ...headers, ...framing },
  })
  request.end(body)
  return answer
}
