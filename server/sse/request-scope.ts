/** Asks Next for the request that it is rendering a page for, or answering. A script has no Next, and loads nothing of it. */

/**
 * Tells Next that what follows depends on a request, as its `connection()` does: a page that is prerendered stops here. Does nothing in
 * a script, and outside of a request.
 * @throws in `'use cache'` and wherever else Next allows no `connection()`
 */
export async function untilRequest(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] === undefined) return
  const { connection } = await import('next/server')
  try {
    await connection()
  } catch (error) {
    if (await isInScope()) throw error
  }
}

/**
 * The headers of the request.
 * @throws outside of a request, and wherever else Next allows no `headers()`
 */
export async function requestHeaders(): Promise<Headers> {
  await untilRequest()
  const { headers } = await import('next/headers')
  return await headers()
}

/** Next has no function that tells. Of those that throw outside of a request, this one throws nowhere else. */
async function isInScope(): Promise<boolean> {
  const { draftMode } = await import('next/headers')
  try {
    await draftMode()
    return true
  } catch {
    return false
  }
}
