/** Tells whether Next is rendering a server component. */

let loading: Promise<() => object> | undefined

/**
 * True while a server component renders: React's `cache` returns the same object twice during a render, and nowhere else. Server actions,
 * route handlers and scripts are no render. Loads React only inside of Next.
 */
export async function isRendering(): Promise<boolean> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return false
  loading ??= import('react').then(({ cache }) => cache(() => ({})))
  const remembered = await loading
  return remembered() === remembered()
}
