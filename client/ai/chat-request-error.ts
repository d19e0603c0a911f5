/** The server refused a request to the chat route. */
export class ChatRequestError extends Error {
  override name = 'ChatRequestError'
  readonly status: number
  /** The code of the problem details, such as `not-granted`. Undefined when the answer had none. */
  readonly code: string | undefined

  constructor(message: string, status: number, code: string | undefined) {
    super(message)
    this.status = status
    this.code = code
  }
}
