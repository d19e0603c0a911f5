/** What keeps a browser from showing as a page what is for programs, whatever was published in it. */
export const neverAPage = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
} as const
