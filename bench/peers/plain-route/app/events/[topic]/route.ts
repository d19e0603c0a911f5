/** The route that blog posts show: a set of controllers, and one `enqueue` for each controller and event. */
const controllers = new Set<ReadableStreamDefaultController>()
const encoder = new TextEncoder()

export function GET(request: Request): Response {
  const stream = new ReadableStream({
    start(controller) {
      controllers.add(controller)
      controller.enqueue(encoder.encode(': connected\n\n'))
      request.signal.addEventListener('abort', () => controllers.delete(controller))
    },
  })
  return new Response(stream, {
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      Connection: 'keep-alive',
    },
  })
}

export async function POST(request: Request): Promise<Response> {
  const body = await request.text()
  const isBatch = request.headers.get('content-type') === 'application/x-ndjson'
  for (const data of isBatch ? body.split('\n') : [body]) {
    for (const controller of controllers) controller.enqueue(encoder.encode(`data: ${data}\n\n`))
  }
  return new Response(null, { status: 201 })
}
