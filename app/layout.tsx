/** The document around every page, with its global styles. */
import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import './globals.css'

export const metadata: Metadata = {
  title: { default: 'next-sse', template: '%s · next-sse' },
  description:
    'Server-sent events in Next.js: three greetings, two seconds apart, over one response that stays open.',
}

export const viewport: Viewport = {
  colorScheme: 'light dark',
  // The header's `--panel`: a meta element can't read a token.
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
    { media: '(prefers-color-scheme: dark)', color: '#111514' },
  ],
}

export default function RootLayout({ children }: { children: ReactNode }): ReactNode {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
