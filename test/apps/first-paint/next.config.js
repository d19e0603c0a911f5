/** Built twice: with `cacheComponents`, and without. */
const isPlain = process.env['CACHE_COMPONENTS'] === 'off'

/** @type {import('next').NextConfig} */
module.exports = {
  agentRules: false,
  cacheComponents: !isPlain,
  partialPrefetching: !isPlain,
  distDir: isPlain ? '.next/plain' : '.next/cached',
  // `npm run check` has seen these files.
  typescript: { ignoreBuildErrors: true },
}
