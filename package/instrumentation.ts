/**
 * For Next's `instrumentation.ts`: reads the configuration and opens the log before the first request. Where that fails, the process
 * says why and ends.
 *
 * @example
 * // instrumentation.ts
 * export { register } from 'next-sse/instrumentation'
 */
export async function register(): Promise<void> {
  // A bundle for another runtime must not even see what needs Node.
  if (process.env['NEXT_RUNTIME'] === 'nodejs') {
    const { startOrExit } = await import('@/server/register')
    await startOrExit()
  }
}
