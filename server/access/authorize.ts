/** How an app says who may read and publish: by functions that look at its own session. */

/** What `authorize` is asked. */
export interface AccessQuestion {
  /** The topics to read, without those that `PUBLIC_TOPICS` names; or the one topic to publish to. */
  topics: readonly [string, ...string[]]
  /** The request, without its body. Made when it is first asked for. */
  readonly request: Request
}

/** Who may, and until when. At least one field must be there; without any, answer `true`. */
export interface AccessGrant {
  /**
   * The user's id: limits count by it, and it tells one reader from another. When it is there but empty, null or undefined, nobody is
   * logged in: the request is refused with 401.
   */
  subject?: string | null | undefined
  /**
   * The id of the login, where one user can have several at a time. Then it tells readers apart instead of `subject`. It must stay the
   * same for as long as the login lasts: never the text of a cookie, which changes when it is renewed. Default: none.
   */
  sessionKey?: string | undefined
  /** When the right ends, as a date or in milliseconds since the Unix epoch. In the past: refused with 401. Default: never. */
  until?: Date | number | undefined
}

/** `false` refuses with 403. */
export type AccessAnswer = boolean | AccessGrant

/**
 * Asked once a request; it only reads, and can set no cookie. Whatever is no `AccessAnswer` grants nothing: the request gets 500. When
 * it throws, or does not answer in 10 s, the request gets 503 and is to be sent again; a thrown `Refusal` is sent as it is.
 */
export type Authorizer = (asked: AccessQuestion) => AccessAnswer | Promise<AccessAnswer>

/** A function answers for reading alone: nobody may publish over HTTP then. With an object, what it does not name is closed. */
export type Authorize = Authorizer | NamedAuthorizers

export interface NamedAuthorizers {
  read?: Authorizer
  /** Also for the runs of another program: it begins, renews and ends them. */
  publish?: Authorizer
  /** Stops runs. */
  stop?: Authorizer
}

/** What `revalidate` is told of a stream: what `authorize` has granted, without the request. */
export interface OpenGrant {
  subject: string | undefined
  sessionKey: string | undefined
  /** The topics of the stream that are not public. */
  topics: readonly [string, ...string[]]
}

/**
 * True: the grant still holds. Anything else, or no answer in 10 s, asks the reader to come back, and its next request is judged. Runs
 * outside of any request, where Next's `cookies()` and `headers()` throw: look the grant up in the app's own store instead.
 */
export type Revalidate = (grant: OpenGrant) => boolean | Promise<boolean>

/** @throws {Error} it is neither a function nor an object of functions by these names */
export function readAuthorize(authorize: Authorize): NamedAuthorizers {
  if (typeof authorize === 'function') return { read: authorize }
  const isFine = Object.entries(authorize).every(
    ([action, judge]) => actions.has(action) && typeof judge === 'function',
  )
  if (isFine) return authorize
  throw new Error(
    'createSse: authorize must be a function, or { read, publish, stop }, all functions.',
  )
}

const actions = new Set(['read', 'publish', 'stop'])
