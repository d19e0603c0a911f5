/** The sessions of the app under test, kept by the checker. The app asks by HTTP, and the store writes down what it answered. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Login {
  /** Its `sessionKey`. */
  id: string
  user: string
  /** When it ends unless it is renewed; undefined: at the logout. Milliseconds since the Unix epoch, as all times here. */
  until: number | undefined
  endedAt: number | undefined
}

/** The answer that let a stream open. */
export interface Grant {
  login: Login
  at: number
  /** As it was told then. */
  until: number | undefined
}

/** That a login still held. */
export interface Confirmation {
  login: Login
  at: number
}

export interface SessionStore {
  url: string
  /** By the name of the stream; of several, the last. */
  grants: ReadonlyMap<string, Grant>
  confirmations: readonly Confirmation[]
  /** Returns the cookie. `lifeMs`: how long the login lasts without a renewal. */
  logIn: (user: string, lifeMs: number | undefined) => string
  /** Returns the cookie that replaces this one, which is good for a moment more. */
  renew: (cookie: string, lifeMs: number) => string
  loginOf: (cookie: string | undefined) => Login | undefined
  /** Ends these logins. */
  end: (isMeant: (login: Login) => boolean) => void
  /** No login ends by itself any more. */
  prolongAll: () => void
  close: () => Promise<void>
}

export const teamTopic = 'team'
/** A request that is under way may still have the cookie of before. */
const overlapMs = 5_000

export function privateTopic(user: string): string {
  return `private.${user}`
}

export async function openSessionStore(): Promise<SessionStore> {
  const logins = new Map<string, Login>()
  const byCookie = new Map<string, Login>()
  const grants = new Map<string, Grant>()
  const confirmations: Confirmation[] = []

  function isLive({ endedAt, until = Infinity }: Login): boolean {
    return endedAt === undefined && Date.now() < until
  }

  function loginOf(cookie: string | undefined): Login | undefined {
    const login = byCookie.get(cookie ?? '')
    return login && isLive(login) ? login : undefined
  }

  function cookieFor(login: Login): string {
    const cookie = `session=${randomUUID()}`
    byCookie.set(cookie, login)
    return cookie
  }

  function answerAsk(asked: { topics: string[]; cookie: string | null; stream: string | null }) {
    const login = loginOf(asked.cookie ?? undefined)
    if (!login) return { subject: null }
    const { user, id, until } = login
    const own = [teamTopic, privateTopic(user)]
    if (!asked.topics.every((topic) => own.includes(topic))) return false
    grants.set(asked.stream ?? '', { login, until, at: Date.now() })
    return { subject: user, sessionKey: id, ...(until !== undefined && { until }) }
  }

  function answerConfirm({ sessionKey }: { sessionKey?: string }): boolean {
    const login = logins.get(sessionKey ?? '')
    if (!login || !isLive(login)) return false
    confirmations.push({ login, at: Date.now() })
    return true
  }

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const asked: unknown = JSON.parse(body)
      const answer =
        request.url === '/ask'
          ? answerAsk(asked as Parameters<typeof answerAsk>[0])
          : answerConfirm(asked as Parameters<typeof answerConfirm>[0])
      response.end(JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    grants,
    confirmations,
    logIn(user, lifeMs) {
      const until = lifeMs === undefined ? undefined : Date.now() + lifeMs
      const login: Login = { id: randomUUID(), user, until, endedAt: undefined }
      logins.set(login.id, login)
      return cookieFor(login)
    },
    renew(cookie, lifeMs) {
      const login = loginOf(cookie)
      if (!login) return cookie
      if (login.until !== undefined) login.until = Date.now() + lifeMs
      setTimeout(() => byCookie.delete(cookie), overlapMs).unref()
      return cookieFor(login)
    },
    loginOf,
    end(isMeant) {
      for (const login of logins.values()) if (isMeant(login)) login.endedAt ??= Date.now()
    },
    prolongAll() {
      for (const login of logins.values()) if (isLive(login)) login.until = undefined
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
