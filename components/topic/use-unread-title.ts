'use client'
/** While the page is hidden, its title shows how many events came: `(12) orders · next-sse`. */
import { useEffect, useState } from 'react'
import { formatCount } from '@/components/ui/format'

interface UnreadTitle {
  count: () => void
  /** Resets the title when the page becomes visible. Returns the undo. */
  watch: () => () => void
}

const renewMs = 1_000
const highest = 9_999

/** Returns the function to call for every event. */
export function useUnreadTitle(): () => void {
  const [title] = useState(createUnreadTitle)
  useEffect(() => title.watch(), [title])
  return title.count
}

function createUnreadTitle(): UnreadTitle {
  let unread = 0
  /** The page's own title, while another one is shown. */
  let plain: string | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  function show(): void {
    timer = undefined
    plain ??= document.title
    document.title = `(${formatCount(unread, highest)}) ${plain}`
  }

  function reset(): void {
    clearTimeout(timer)
    timer = undefined
    unread = 0
    if (plain !== undefined) document.title = plain
    plain = undefined
  }

  return {
    count() {
      if (!document.hidden) return
      unread++
      // Some browsers make the tab flicker at every change, so the title changes at most once a second.
      if (plain === undefined) show()
      else timer ??= setTimeout(show, renewMs)
    },
    watch() {
      const onChange = (): void => {
        if (!document.hidden) reset()
      }
      document.addEventListener('visibilitychange', onChange)
      return () => {
        document.removeEventListener('visibilitychange', onChange)
        reset()
      }
    },
  }
}
