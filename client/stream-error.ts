/** The errors of a stream, as far as a page can distinguish them. */
import type { RawEvent } from './stream-state'

export interface StreamError {
  /**
   * `url`: there is no URL to open. `headers`: there are no headers to send, or they are not valid. `unreachable`: no answer came, or not within `connectTimeoutMs`. `lost`: the connection broke, or
   * the server closed it without an `end`. `silent`: nothing arrived for so long that the connection must be dead. `refused`: the
   * server answered with a status other than 200, or without an event stream. `asked`: the server asked the client to come back later.
   * `event`: the page's parser or reducer threw for an event; the stream continues. `reader`: the page has another reader now, because another
   * user has signed in, or the user has signed out.
   */
  kind:
    | 'url'
    | 'headers'
    | 'unreachable'
    | 'lost'
    | 'silent'
    | 'refused'
    | 'asked'
    | 'event'
    | 'reader'
  message: string
  /** The HTTP status of a refusal. */
  status?: number | undefined
  /** The `code` of a refusal's problem details. */
  code?: string | undefined
  /** The event that could not be read, with its text as it came. Only of the kind `event`. */
  event?: RawEvent | undefined
  cause?: unknown
}

/** Another user has signed in, or the user has signed out. */
export const readerChanged: StreamError = {
  kind: 'reader',
  message: 'These requests have another reader now.',
}
