/** Reads topics where there is no request: in a timer of the process. */
export function register(): void {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return
  setInterval(async () => {
    const { sse } = await import('./sse')
    const { events } = await sse.history('orders')
    ;(globalThis as { counted?: number }).counted = events.length
  }, 200)
}
