import { describe, expect, test } from 'vitest'
import type { PublishedEvent } from '../record'
import { judgeSessions } from './judge-sessions'
import type { Disconnect, Selector, SessionRun, StreamEnd, StreamRecord } from './session-record'
import type { Confirmation, Grant, Login } from './session-store'

const recheckMs = 6_000

/** Ana's stream of `team`, granted and opened at second 100; an event that is shown was sent at the second given. */
function createRun({ isConfirmed = false, until }: { isConfirmed?: boolean; until?: number } = {}) {
  const login: Login = { id: 'login 1', user: 'ana', until, endedAt: undefined }
  const stream: StreamRecord = {
    name: 'stream 1',
    topics: ['team'],
    isConfirmed,
    askedAt: 99_000,
    login,
    openedAt: 100_000,
    shown: [],
    end: undefined,
  }
  const disconnects: Disconnect[] = []
  const confirmations: Confirmation[] = []
  const grants = new Map<string, Grant>([[stream.name, { login, until, at: 100_000 }]])
  const run: SessionRun = { recheckMs, streams: [stream], grants, confirmations, disconnects }
  return {
    shows: (...seconds: number[]) => {
      for (const second of seconds) {
        const event: PublishedEvent = {
          key: `e${second}`,
          topic: 'team',
          attempts: [{ startedAt: second * 1_000, endedAt: second * 1_000 + 50 }],
        }
        stream.shown.push({ at: second * 1_000 + 20, event, id: `x.${second}` })
      }
    },
    disconnect: (selector: Selector, at: number, resolvedAt: number) => {
      disconnects.push({ selector, askedAt: at * 1_000, resolvedAt: resolvedAt * 1_000 })
    },
    confirm: (at: number) => confirmations.push({ login, at: at * 1_000 }),
    ends: (end: StreamEnd) => (stream.end = end),
    forget: () => grants.clear(),
    kinds: () => judgeSessions(run).map(({ kind }) => kind),
  }
}

describe('a stream', () => {
  test.each<Selector>([{ subject: 'ana' }, { sessionKey: 'login 1' }, { topics: ['team', 'x'] }])(
    'shows nothing that was sent after %o was disconnected',
    (selector) => {
      const { shows, disconnect, kinds } = createRun()
      disconnect(selector, 101, 102)
      shows(101, 102)
      expect(kinds()).toEqual([])

      shows(103)
      expect(kinds()).toEqual(['shown-without-right'])
    },
  )

  test('goes on when others are disconnected, when it was granted later, or when no answer came', () => {
    const { shows, disconnect, kinds } = createRun()
    for (const selector of [{ subject: 'bob' }, { sessionKey: 'login 2' }, { topics: ['x'] }]) {
      disconnect(selector, 101, 102)
    }
    disconnect({ subject: 'ana' }, 98, 99)
    disconnect({ subject: 'ana' }, 99, 101)
    disconnect({ subject: 'ana' }, 101, Infinity)
    shows(103)

    expect(kinds()).toEqual([])
  })

  test('shows nothing that was sent after its end', () => {
    const { shows, kinds } = createRun({ until: 104_000 })
    shows(103, 104)
    expect(kinds()).toEqual([])

    shows(105)
    expect(kinds()).toEqual(['shown-without-right'])
  })

  test('shows nothing that was sent after its recheck', () => {
    const { shows, kinds } = createRun()
    shows(106)
    expect(kinds()).toEqual([])

    shows(107)
    expect(kinds()).toEqual(['shown-without-right'])
  })

  test('goes on for as long as it is confirmed', () => {
    const { shows, confirm, kinds } = createRun({ isConfirmed: true })
    confirm(105)
    confirm(110)
    shows(115, 125)
    expect(kinds()).toEqual([])

    shows(127)
    expect(kinds()).toEqual(['shown-without-right'])
  })

  test('that nobody granted shows nothing', () => {
    const { shows, forget, kinds } = createRun()
    forget()
    shows(101)

    expect(kinds()).toEqual(['shown-without-right'])
  })
})

describe('a login that holds', () => {
  test('is not refused', () => {
    const { ends, kinds } = createRun()
    const refused = { kind: 'refused', at: 100_000, status: 401, code: 'login-required' } as const
    ends({ ...refused, isStillIn: false })
    expect(kinds()).toEqual([])

    ends({ ...refused, isStillIn: true })
    expect(kinds()).toEqual(['thrown-out'])
  })

  test('is told that its right is revoked only when it is', () => {
    const { ends, disconnect, kinds } = createRun()
    ends({ kind: 'sent-away', at: 103_000, reason: 'expired' })
    expect(kinds()).toEqual([])

    ends({ kind: 'sent-away', at: 103_000, reason: 'revoked' })
    disconnect({ subject: 'ana' }, 80, 81)
    disconnect({ subject: 'bob' }, 102, 103)
    expect(kinds()).toEqual(['thrown-out'])

    disconnect({ subject: 'ana' }, 102, Infinity)
    expect(kinds()).toEqual([])
  })
})
