/** Where the frames of a connection come from: an EventSource, or a source that reads with `fetch`. */
import type { Verdict } from './verdict'

/** The part of EventSource's interface that a connection uses. */
export interface FrameSource extends EventTarget {
  /** 0 connecting, 1 open, 2 closed. */
  readyState: number
  close: () => void
  /** Why the source failed before it was open. An EventSource does not know. */
  verdict?: Verdict | undefined
}

/** The headers of a request. A function is called for each. */
export type RequestHeaders = HeadersInit | (() => HeadersInit | Promise<HeadersInit>)
