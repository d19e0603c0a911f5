/** Next calls `register` once, before the first request. */
export async function register(): Promise<void> {
  // A bundle for another runtime must not even see what needs Node.
  if (process.env['NEXT_RUNTIME'] === 'nodejs') {
    const { start } = await import('./instrumentation-node')
    start()
  }
}
