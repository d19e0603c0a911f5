/** @type {import('next').NextConfig} */
module.exports = {
  output: 'standalone',
  poweredByHeader: false,
  // `next dev` would write files of its own into the repository.
  agentRules: false,
  // The optimiser fetches any local path, and a stream it fetches never ends.
  images: { unoptimized: true },
  // In development Next prints every address asked for, and this one holds a token.
  logging: { incomingRequests: { ignore: [/[?&]access_token=/] } },
}
