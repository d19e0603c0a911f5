import Link from 'next/link'
import type { ReactNode } from 'react'

export default function Page(): ReactNode {
  return (
    <>
      <h1>Another page</h1>
      <Link href="/orders">Orders</Link>
    </>
  )
}
