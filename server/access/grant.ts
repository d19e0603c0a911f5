import { anonymousReader } from '@/protocol/reader-key'

/** The right of one reader to read certain topics. */
export interface Grant {
  /** The reader's key. */
  reader: string
  /** The user, where there is one. */
  subject: string | undefined
  /** The login of that user, where the app tells logins apart. */
  sessionKey: string | undefined
  /** When the right ends: milliseconds since the Unix epoch. Undefined when it never ends. */
  expiresAtMs: number | undefined
  /** True when anyone may read the topics: then nothing ends the right. */
  isPublic: boolean
}

export const publicGrant: Grant = {
  reader: anonymousReader,
  subject: undefined,
  sessionKey: undefined,
  expiresAtMs: undefined,
  isPublic: true,
}
