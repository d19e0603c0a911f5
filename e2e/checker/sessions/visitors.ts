/** People with a browser each, who log in, renew, switch users, log out and are disconnected, at random. */
import type { Ledger } from '../ledger'
import type { Random } from '../random'
import type { ReaderCounts } from '../readers/recorder'
import type { ReaderRecord } from '../record'
import { sleep } from '../setting'
import { openSessionPage, type SessionPage } from './session-page'
import type { Path } from './session-app'
import type { Selector, StreamRecord } from './session-record'
import { privateTopic, teamTopic, type Login, type SessionStore } from './session-store'

export interface Visitors {
  records: readonly ReaderRecord[]
  streams: () => StreamRecord[]
  /** How often each was done. */
  counts: ReadonlyMap<string, number>
  /** No one does anything any more; who is logged in stays so, and reads on. */
  calmDown: () => Promise<void>
  stop: () => void
}

export const users = Array.from({ length: 16 }, (_, index) => `user-${index + 1}`)

interface Visit {
  login: Login
  cookie: string
}

/** What a visitor may do, and how often beside the others. */
const deeds = {
  nothing: 3,
  renew: 4,
  'log out, and say nothing': 1,
  'log out, and disconnect': 2,
  'sign out everywhere': 0.5,
  'disconnect a user who stays': 0.7,
  'disconnect a topic': 0.2,
  'switch to another user': 2,
  'open another page': 1,
  freeze: 2,
} as const
type Deed = keyof typeof deeds

export function startVisitors(setting: {
  count: number
  origins: readonly string[]
  store: SessionStore
  ledger: Ledger
  random: Random
  counts: ReaderCounts
  /** Resolves once a server has done it. */
  disconnect: (selector: Selector) => Promise<void>
}): Visitors {
  const { count, origins, store, ledger, random, disconnect } = setting
  const pages: SessionPage[] = []
  const counts = new Map<string, number>()
  const over = new AbortController()

  function note(what: string): void {
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }

  async function live(name: string, own: Random): Promise<void> {
    let visit: Visit | undefined
    let page: (SessionPage & { login: Login }) | undefined

    function logIn(user: string): void {
      const cookie = store.logIn(user, own.isLucky(0.5) ? own.between(4_000, 15_000) : undefined)
      const login = store.loginOf(cookie)
      visit = login && { login, cookie }
      note('log in')
    }

    function openPage(): void {
      if (!visit) return
      page?.close()
      if (page) page.record.isLive = false
      const { login } = visit
      const topics = own.isLucky(0.3) ? [teamTopic] : [privateTopic(login.user), teamTopic]
      const opened = openSessionPage({
        name: `${name}, page ${pages.length + 1} of ${login.user}`,
        origins,
        path: own.pick<Path>(['confirmed', 'plain']),
        topics,
        login,
        cookie: () => visit?.cookie,
        store,
        ledger,
        counts: setting.counts,
        random: own,
        onOver(status) {
          note(`page over (${status})`)
          opened.record.isLive = false
          if (page?.record === opened.record) page = undefined
        },
      })
      pages.push(opened)
      page = { ...opened, login }
    }

    async function act(deed: Deed, { login, cookie }: Visit): Promise<void> {
      switch (deed) {
        case 'nothing':
          return
        case 'renew':
          visit = { login, cookie: store.renew(cookie, own.between(4_000, 15_000)) }
          return
        case 'log out, and say nothing':
          store.end(({ id }) => id === login.id)
          visit = undefined
          return
        case 'log out, and disconnect':
          store.end(({ id }) => id === login.id)
          visit = undefined
          return await disconnect({ sessionKey: login.id })
        case 'sign out everywhere':
          store.end(({ user }) => user === login.user)
          return await disconnect({ subject: login.user })
        case 'disconnect a user who stays':
          return await disconnect({ subject: login.user })
        case 'disconnect a topic':
          return await disconnect({ topics: [own.pick([teamTopic, privateTopic(login.user)])] })
        case 'switch to another user':
          logIn(own.pick(users.filter((user) => user !== login.user)))
          return
        case 'open another page':
          openPage()
          return
        case 'freeze':
          page?.freeze(own.between(500, 5_000))
          return
      }
    }

    while (!over.signal.aborted) {
      // The login may have ended by itself, or from elsewhere.
      if (visit && store.loginOf(visit.cookie) !== visit.login) visit = undefined
      // A page of before may be open still: it must not go on as another user.
      if (!visit) logIn(own.pick(users))
      if (!page) openPage()
      await sleep(own.between(300, 9_000))
      if (over.signal.aborted || !visit) continue
      const deed = pickDeed(own())
      note(deed)
      await act(deed, visit)
    }
    if (page) page.record.isLive = page.login === store.loginOf(visit?.cookie)
  }

  const lives = Array.from({ length: count }, (_, index) => {
    const name = `visitor ${index + 1}`
    return live(name, random.fork(name))
  })

  return {
    get records() {
      return pages.map(({ record }) => record)
    },
    streams: () => pages.flatMap(({ streams }) => streams),
    counts,
    async calmDown() {
      store.prolongAll()
      over.abort()
      await Promise.all(lives)
    },
    stop() {
      over.abort()
      for (const page of pages) page.close()
    },
  }
}

function pickDeed(chance: number): Deed {
  const all = Object.entries(deeds) as [Deed, number][]
  let left = chance * all.reduce((sum, [, weight]) => sum + weight, 0)
  return all.find(([, weight]) => (left -= weight) < 0)?.[0] ?? 'nothing'
}
