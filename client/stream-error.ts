/** What can go wrong with a stream, as far as a page can know it. */

export interface StreamError {
  /**
   * `url`: there is none to open. `unreachable`: no answer, within `connectTimeoutMs` either. `lost`: the connection broke, or the
   * server closed it without an `end`. `silent`: nothing came for so long that the connection must be dead. `refused`: the
   * server answered with another status, or not with an event stream. `asked`: the server asked to come back later.
   * `event`: an event's data could not be parsed; the stream goes on. `reader`: the server takes this page's requests for another
   * reader's than it began as, which happens when somebody else signs in.
   */
  kind: 'url' | 'unreachable' | 'lost' | 'silent' | 'refused' | 'asked' | 'event' | 'reader'
  message: string
  /** The HTTP status of a refusal. */
  status?: number | undefined
  /** The `code` of a refusal's problem details. */
  code?: string | undefined
  cause?: unknown
}

/** What a page learns that has another reader now. */
export const readerChanged: StreamError = {
  kind: 'reader',
  message: 'These requests have another reader now.',
}
