/** The bar at the top of every page. The dot of its logo is green while a stream is live. */
import Link from 'next/link'
import type { ReactNode } from 'react'
import styles from './site-header.module.css'

/** `children` replace the links to other pages. */
export function SiteHeader({ children }: { children?: ReactNode }): ReactNode {
  return (
    <header className={`${styles.bar} ${children ? styles.busy : ''}`}>
      <Link className={styles.brand} href="/">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
          <path
            d="M4 3h12M4 10h8M4 17h3M4 3v14"
            fill="none"
            stroke="currentColor"
            strokeWidth="2"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
          <circle className={styles.tip} cx="12.5" cy="16.5" r="3" fill="currentColor" />
        </svg>
        <span className={styles.name}>next-sse</span>
      </Link>
      {children ?? <SiteLinks />}
    </header>
  )
}

function SiteLinks(): ReactNode {
  return (
    <nav className={styles.links}>
      <Link href="/topics/demo">Live topic</Link>
      <Link href="/orders">Orders</Link>
      <Link href="/chat">Chat</Link>
      <Link href="/runs">Runs</Link>
      <Link href="/account">Account</Link>
    </nav>
  )
}
