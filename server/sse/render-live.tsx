/** The part of `sse.LiveRefresh` that needs React, and the one place where the server's half leads to the browser's. */
import type { ReactElement, ReactNode } from 'react'
import { LiveRefresh, type LiveRefreshProps } from '@/hooks/live-refresh'

/** Renders `children` and, beside them, the component that refreshes them in the browser. */
export async function renderLive(
  children: () => ReactNode,
  refresh: LiveRefreshProps,
): Promise<ReactElement> {
  return (
    <>
      {await children()}
      <LiveRefresh {...refresh} />
    </>
  )
}
