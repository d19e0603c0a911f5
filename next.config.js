/** What a request with a body brings along. */
const bodyHeaders = ['content-length', 'transfer-encoding']

/** @type {import('next').NextConfig} */
module.exports = {
  output: 'standalone',
  poweredByHeader: false,
  // `next dev` would write files of its own into the repository.
  agentRules: false,
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
    // proxy.ts is kept off requests with a body, so it gives a page that answers one no policy. This one lets nothing run. Topics have it
    // anyway, and a condition here would send each publish through Next.
    ...bodyHeaders.map((key) => ({
      source: '/((?!events/).*)',
      has: [{ type: 'header', key }],
      headers: [
        {
          key: 'Content-Security-Policy',
          value: "default-src 'none'; frame-ancestors 'none'",
        },
      ],
    })),
  ],
}
