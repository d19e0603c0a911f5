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
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'X-Frame-Options', value: 'DENY' },
        // Not `no-referrer`: a browser would then post forms with the origin `null`.
        { key: 'Referrer-Policy', value: 'same-origin' },
      ],
    },
  ],
}
