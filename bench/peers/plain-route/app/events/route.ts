/** The tutorial's greetings, as blog posts write them for Next. */
const greetings = ['Hi there', 'How are you?', 'I am fine']

export function GET(request: Request): Response {
  const encoder = new TextEncoder()
  const stream = new ReadableStream({
    async start(controller) {
      for (const [index, message] of greetings.entries()) {
        if (index > 0) await new Promise((resolve) => setTimeout(resolve, 2_000))
        if (request.signal.aborted) return
        controller.enqueue(encoder.encode(`data: ${JSON.stringify({ message })}\n\n`))
      }
      controller.close()
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
