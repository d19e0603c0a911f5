/** What a route of the Edge runtime gets in place of `next-sse`. */
throw new Error(
  'next-sse needs the Node.js runtime: remove `export const runtime = "edge"` from the route that imports it.',
)
