/** What can go wrong with a stream, as far as a page can know. */

export interface StreamError {
  /**
   * `url`: there is no URL to open. `unreachable`: no answer came, or not within `connectTimeoutMs`. `lost`: the connection broke, or
   * the server closed it without an `end`. `silent`: nothing came for so long that the connection must be dead. `refused`: the server
   * answered with another status than 200, or with something that is no event stream. `asked`: the server asked to come back later.
   * `event`: the page's parser threw at an event; the stream goes on. `reader`: the server takes this page for another reader's,
   * because another user has signed in, or the user has signed out.
   */
  kind: 'url' | 'unreachable' | 'lost' | 'silent' | 'refused' | 'asked' | 'event' | 'reader'
  message: string
  /** The HTTP status of a refusal. */
  status?: number | undefined
  /** The `code` of a refusal's problem details. */
  code?: string | undefined
  cause?: unknown
}

/** Another user has signed in, or the user has signed out. */
export const readerChanged: StreamError = {
  kind: 'reader',
  message: 'These requests have another reader now.',
}
