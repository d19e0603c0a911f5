/** Converts between our requests and answers and the Web `Request` and `Response` of Next's route handlers. */
import type { Answer } from '@/server/answer'
import type { Stream } from '@/server/stream/stream'
import { createBodyBuffer } from '@/server/routes/body/body-buffer'
import { UploadAbortedError, type ReadBody, type SseRequest } from '@/server/sse/sse-request'

export function fromWeb(request: Request): SseRequest {
  const { method, url, headers, signal } = request
  return {
    method,
    url,
    headers,
    signal,
    toRequest: () => new Request(url, { method, headers }),
    readBody: (maxBytes, share) => readBytes(request.body, maxBytes, share),
  }
}

export function toWeb({ status, headers, body }: Answer): Response {
  return new Response(typeof body === 'object' ? bodyOf(body) : (body ?? null), { status, headers })
}

async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  ...[maxBytes, share]: Parameters<ReadBody>
): ReturnType<ReadBody> {
  const buffer = createBodyBuffer(maxBytes, share)
  const reader = body?.getReader()
  for (;;) {
    const chunk = await nextChunk(reader)
    if (!chunk) return buffer.bytes
    const refused = buffer.add(chunk)
    if (!refused) continue
    // The upload is refused already, so an error of `cancel` does not matter.
    void reader?.cancel().catch(() => {})
    return refused
  }
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value
  } catch (cause) {
    throw new UploadAbortedError('The client went away while its body arrived.', { cause })
  }
}

/** Starts the stream with the first read. A body that is cancelled without a read leaves nothing open. */
function bodyOf(stream: Stream): ReadableStream<Uint8Array> {
  let hasBegun = false
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (hasBegun) return stream.goOn()
        hasBegun = true
        stream.send({
          write(chunk) {
            controller.enqueue(chunk)
            return false
          },
          close: () => closeQuietly(controller),
        })
      },
      cancel: stream.stop,
    },
    { highWaterMark: 0 },
  )
}

function closeQuietly(controller: ReadableStreamDefaultController): void {
  try {
    controller.close()
  } catch {
    // The body was cancelled while the last chunk was pending, so it is closed already.
  }
}
