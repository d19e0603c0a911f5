/**
 * What a page may load and run: its own, and of scripts only those that this very answer names by its nonce.
 * @see https://www.w3.org/TR/CSP3/
 */

/** The value of `Content-Security-Policy` for one answer; `nonce` must be another each time. */
export function contentPolicy(
  nonce: string,
  { isDevelopment }: { isDevelopment: boolean },
): string {
  const sources = {
    'default-src': "'none'",
    // React rebuilds the server's call stacks by `eval`, and Next puts its messages in a style sheet of its own.
    'script-src': `'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? " 'unsafe-eval'" : ''}`,
    'style-src': isDevelopment ? "'self' 'unsafe-inline'" : "'self'",
    'img-src': "'self'",
    'worker-src': "'self'",
    'font-src': "'self'",
    'connect-src': "'self'",
    'form-action': "'self'",
    'base-uri': "'none'",
    'frame-ancestors': "'none'",
  }
  return Object.entries(sources)
    .map(([directive, allowed]) => `${directive} ${allowed}`)
    .join('; ')
}
